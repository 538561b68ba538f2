// SPDX-License-Identifier: Apache-2.0

package item

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// The program `item` on the same pictures: the same JSON but for times.
func TestAnswersAreThoseOfC(t *testing.T) {
	program, err := exec.LookPath("item")
	if err != nil {
		t.Skip("the program item is not in PATH")
	}
	names := []string{"watch.jpg", "surfing_dog.jpg", "chelsea.jpg"}
	args := []string{"check", "--json"}
	var in []Input
	for _, name := range names {
		args = append(args, string(file(name)))
		in = append(in, file(name))
	}
	said, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	results, err := open(t).CheckBatch(background, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(said)), "\n") {
		same(t, names[i], untimed(t, results[i].JSON), untimed(t, line))
	}
}

// same compares values of JSON: all alike but for the last digits of numbers.
func same(t *testing.T, where string, ours, theirs any) {
	t.Helper()
	switch theirs := theirs.(type) {
	case map[string]any:
		ours, _ := ours.(map[string]any)
		if len(ours) != len(theirs) {
			t.Errorf("%s: other keys", where)
		}
		for key := range theirs {
			same(t, where+"."+key, ours[key], theirs[key])
		}
	case []any:
		ours, _ := ours.([]any)
		if len(ours) != len(theirs) {
			t.Errorf("%s: %d instead of %d", where, len(ours), len(theirs))
			return
		}
		for i := range theirs {
			same(t, where, ours[i], theirs[i])
		}
	case float64:
		if ours, is := ours.(float64); !is || math.Abs(ours-theirs) > 1e-4*math.Max(1, math.Abs(theirs)) {
			t.Errorf("%s: %v instead of %v", where, ours, theirs)
		}
	default:
		if ours != theirs {
			t.Errorf("%s: %v instead of %v", where, ours, theirs)
		}
	}
}

// untimed reads JSON and leaves out what differs from run to run.
func untimed(t *testing.T, line string) map[string]any {
	t.Helper()
	var keys map[string]any
	if err := json.Unmarshal([]byte(line), &keys); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	delete(keys, "timings_ms")
	return keys
}

// What a Result holds in fields is what its JSON holds.
func TestFieldsAreThoseOfTheJSON(t *testing.T) {
	r := check(t, open(t), file("surfing_dog.jpg"), Vectors())
	var said struct {
		File, Caption, Verdict, Fingerprint, Pack, Layout string
		Width, Height                                     int
		Probability, Score, Similarity                    float64
		Reason                                            struct{ Code, Text string }
		Objects                                           []struct {
			Phrase string
			Box    [4]float64
			Score  float64
		}
		Timings_ms struct{ Total float64 }
	}
	if err := json.Unmarshal([]byte(r.JSON), &said); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{r.File: said.File, r.Caption: said.Caption, r.Verdict.String(): said.Verdict,
		r.Fingerprint: said.Fingerprint, r.Pack: said.Pack, r.Layout: said.Layout,
		r.Reason.Name: said.Reason.Code, r.Reason.Text: said.Reason.Text}
	for ours, theirs := range texts {
		if ours != theirs || ours == "" {
			t.Errorf("%q, in the JSON %q", ours, theirs)
		}
	}
	near(t, "probability", r.Probability, said.Probability)
	near(t, "score", r.Score, said.Score)
	near(t, "similarity", r.Similarity, said.Similarity)
	near(t, "total", r.Timings.Total.Seconds()*1000, said.Timings_ms.Total)
	if r.Width != said.Width || r.Height != said.Height || r.Width == 0 {
		t.Errorf("%d x %d, in the JSON %d x %d", r.Width, r.Height, said.Width, said.Height)
	}
	if len(r.Objects) != len(said.Objects) || len(r.Objects) == 0 {
		t.Fatalf("%d objects, in the JSON %d", len(r.Objects), len(said.Objects))
	}
	for i, object := range r.Objects {
		near(t, object.Phrase, object.Score, said.Objects[i].Score)
		for j := range object.Box {
			near(t, object.Phrase, object.Box[j], said.Objects[i].Box[j])
		}
		if len(object.CropVector) == 0 || len(object.PhraseVector) == 0 {
			t.Errorf("%s has no vectors", object.Phrase)
		}
	}
	near(t, "cosine", dot(r.ImageVector, r.TextVector), r.Similarity)
	if len(r.Features) == 0 {
		t.Error("no features")
	}
}

func near(t *testing.T, what string, a, b float64) {
	t.Helper()
	if !(math.Abs(a-b) <= 1e-6*math.Max(1, math.Abs(b))) {
		t.Errorf("%s: %v and %v", what, a, b)
	}
}

// What a file says of its origin is told of files and of bytes, and of no picture that was drawn.
func TestProvenance(t *testing.T) {
	c, name := open(t), File("../../tests/golden/image/pictures/origin.png")
	byName := check(t, c, name).Provenance
	byBytes := check(t, c, Bytes(read(t, name))).Provenance
	if len(byName) == 0 || !reflect.DeepEqual(byName, byBytes) {
		t.Errorf("%+v of the file, %+v of its bytes", byName, byBytes)
	}
	for _, said := range byName {
		if said.Kind < ProvenanceC2PA || said.Text == "" || said.Where == "" {
			t.Errorf("%+v", said)
		}
	}
	if said := check(t, c, Picture(image.NewGray(image.Rect(0, 0, 99, 99)))).Provenance; said != nil {
		t.Errorf("a drawn picture says %+v", said)
	}
}

// However a picture is given, its answer is the same, and so is its fingerprint.
func TestInputsAgree(t *testing.T) {
	c, name := open(t), file("watch.jpg")
	want := check(t, c, name)
	decoded, err := c.Decode(background, name)
	if err != nil {
		t.Fatal(err)
	}
	defer decoded.Close()
	if decoded.Width != want.Width || decoded.Height != want.Height || decoded.Kind != "jpeg" {
		t.Errorf("decoded: %+v", decoded)
	}
	content := read(t, name)
	for what, in := range map[string]Input{
		"bytes":   Bytes(content),
		"reader":  Reader(bytes.NewReader(content)),
		"slow":    Reader(iotest.OneByteReader(bytes.NewReader(content))),
		"decoded": decoded,
	} {
		got := check(t, c, in)
		near(t, what, got.Probability, want.Probability)
		if got.Fingerprint != want.Fingerprint || got.Caption != want.Caption || got.File != "" {
			t.Errorf("%s: %s", what, got.JSON)
		}
	}
}

// Each kind of picture in Go's memory means what its PNG means.
func TestPicturesInMemory(t *testing.T) {
	c := open(t)
	rainbow := image.NewNRGBA(image.Rect(-3, 5, 97, 75))
	clear := image.NewNRGBA(rainbow.Rect)
	for y := rainbow.Rect.Min.Y; y < rainbow.Rect.Max.Y; y++ {
		for x := rainbow.Rect.Min.X; x < rainbow.Rect.Max.X; x++ {
			shade := color.NRGBA{uint8(2 * x), uint8(3 * y), uint8(x * y), 255}
			rainbow.SetNRGBA(x, y, shade)
			shade.A = uint8(5 * (x + y))
			clear.SetNRGBA(x, y, shade)
		}
	}
	copied := func(to draw.Image) image.Image {
		draw.Draw(to, rainbow.Rect, rainbow, rainbow.Rect.Min, draw.Src)
		return to
	}
	middle := image.Rect(10, 20, 60, 70)
	for what, picture := range map[string]image.Image{
		"NRGBA":             rainbow,
		"NRGBA, clear":      clear,
		"NRGBA, part":       rainbow.SubImage(middle),
		"RGBA":              copied(image.NewRGBA(rainbow.Rect)),
		"RGBA, part":        copied(image.NewRGBA(rainbow.Rect)).(*image.RGBA).SubImage(middle),
		"Gray":              copied(image.NewGray(rainbow.Rect)),
		"Gray, part":        copied(image.NewGray(rainbow.Rect)).(*image.Gray).SubImage(middle),
		"NRGBA64":           copied(image.NewNRGBA64(rainbow.Rect)),
		"Paletted":          copied(image.NewPaletted(rainbow.Rect, color.Palette{color.Black, color.White, color.NRGBA{9, 200, 90, 255}})),
		"a type of its own": struct{ image.Image }{clear},
	} {
		mine, err := c.EmbedImages(background, []Input{Picture(picture)})
		if err != nil {
			t.Fatal(what, err)
		}
		png, err := c.EmbedImages(background, []Input{asPNG(t, picture)})
		if err != nil {
			t.Fatal(what, err)
		}
		near(t, what+": the same as its PNG", dot(mine[0], png[0]), 1)
	}
}

func TestBatch(t *testing.T) {
	c := openOwn(t, Set("batch", "2"))
	content := read(t, file("fish.jpg"))
	closed, err := c.Decode(background, Bytes(content))
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	in := []Input{
		file("watch.jpg"), Bytes(content), File("no/such.jpg"), Bytes("a text"), file("README.md"),
		Reader(iotest.ErrReader(io.ErrUnexpectedEOF)), File("zero\x00.jpg"), closed, nil,
		file("fish.jpg"), Reader(bytes.NewReader(content)),
	}
	var counted []string
	results, err := c.CheckBatch(background, in, Progress(func(done, total uint64) {
		counted = append(counted, fmt.Sprint(done, "/", total))
	}))
	if err != nil {
		t.Fatal(err)
	}
	fails := map[int]error{2: os.ErrNotExist, 3: ErrFormat, 4: ErrFormat, 5: io.ErrUnexpectedEOF,
		6: ErrArgument, 7: ErrClosed, 8: ErrArgument}
	for i, r := range results {
		if want := fails[i]; want != nil {
			if !errors.Is(r.Err, want) || r.Verdict != VerdictNone {
				t.Errorf("picture %d: %v, not %v", i, r.Err, want)
			}
		} else if r.Err != nil {
			t.Errorf("picture %d: %v", i, r.Err)
		}
		line, err := json.Marshal(r)
		if _, failed := untimed(t, string(line))["error"]; err != nil || failed != (r.Err != nil) {
			t.Errorf("picture %d: %v: %s", i, err, line)
		}
	}
	for _, i := range []int{9, 10} {
		near(t, "the same picture", results[i].Probability, results[1].Probability)
	}
	if results[0].File != string(file("watch.jpg")) || results[9].File != string(file("fish.jpg")) {
		t.Error("out of order")
	}
	if n := len(counted); n == 0 || counted[n-1] != "11/11" {
		t.Errorf("progress: %q", counted)
	}
}

func TestEmptyBatch(t *testing.T) {
	if results, err := open(t).CheckBatch(background, nil); err != nil || len(results) != 0 {
		t.Errorf("%v, %v", results, err)
	}
}

func TestCaptionsOfTheCaller(t *testing.T) {
	c, content := open(t), read(t, file("surfing_dog.jpg"))
	results, err := c.CheckBatch(background,
		[]Input{file("surfing_dog.jpg"), Bytes(content), file("surfing_dog.jpg")},
		Captions("a dog on a board", "a surfing dog", ""))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a dog on a board", "a surfing dog", results[2].ModelCaption} {
		if results[i].Caption != want {
			t.Errorf("caption %d is %q, not %q", i, results[i].Caption, want)
		}
	}
	if results[2].CaptionSource != "model" || results[0].CaptionSource != "caller" {
		t.Error("the source of a caption")
	}
	one := check(t, c, Bytes(content), Caption("a surfing dog"), MaxObjects(1))
	near(t, "similarity", one.Similarity, results[1].Similarity)
	if len(one.Objects) > 1 {
		t.Errorf("%d objects", len(one.Objects))
	}
	_, err = c.CheckBatch(background, []Input{Bytes(content)}, Captions("one", "two"))
	wantError(t, err, ErrArgument, "one caption for each picture")
	_, err = c.Check(background, Bytes(content), Caption("zero\x00"))
	wantError(t, err, ErrArgument, "zero byte")
}

func TestBadPictures(t *testing.T) {
	c := openOwn(t, Set("max_pixels", "3000000"), Set("max_file_bytes", "1000000"))
	folder := t.TempDir()
	empty := filepath.Join(folder, "empty.jpg")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	jpeg := read(t, file("fish.jpg"))
	broken := &brokenPipe{}
	for what, row := range map[string]struct {
		in    Input
		is    error
		words string
	}{
		"missing":       {File("no/such.jpg"), os.ErrNotExist, "no/such.jpg"},
		"a folder":      {File(folder), ErrIO, folder},
		"empty name":    {File(""), ErrIO, ""},
		"empty file":    {File(empty), ErrFormat, "empty.jpg"},
		"zero byte":     {File("a\x00b"), ErrArgument, "zero byte"},
		"a text":        {Bytes("a text"), ErrFormat, "not a picture"},
		"nothing":       {Bytes(nil), ErrFormat, ""},
		"cut off":       {Bytes(jpeg[:len(jpeg)/2]), ErrFormat, ""},
		"too long":      {Reader(io.LimitReader(endless{}, 1<<40)), ErrLimit, "1000000"},
		"broken reader": {Reader(broken), broken.err(), "the pipe is broken"},
		"too wide":      {Picture(image.NewUniform(color.White)), ErrLimit, "max_pixels"},
		"empty picture": {Picture(image.NewGray(image.Rectangle{})), ErrArgument, "empty"},
		"nil":           {nil, ErrArgument, "nil"},
		"nil reader":    {Reader(nil), ErrArgument, "nil"},
		"nil picture":   {Picture(nil), ErrArgument, "nil"},
	} {
		r, err := c.Check(background, row.in)
		if err == nil || r != nil {
			t.Errorf("%s: no error", what)
			continue
		}
		if row.is != nil && !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.words) {
			t.Errorf("%s: %v (%T), not %v", what, err, err, row.is)
		}
	}
}

type endless struct{}

func (endless) Read(into []byte) (int, error) { return len(into), nil }

type brokenPipe struct{}

func (*brokenPipe) err() error { return io.ErrClosedPipe }

func (b *brokenPipe) Read([]byte) (int, error) {
	return 0, fmt.Errorf("the pipe is broken: %w", b.err())
}

// A picture whose pixels are fewer than its bounds say is refused, not read beyond them.
func TestPixelsThatAreMissing(t *testing.T) {
	c := open(t)
	large, few := image.Rect(0, 0, 4000, 4000), make([]byte, 64)
	for what, picture := range map[string]image.Image{
		"NRGBA":           &image.NRGBA{Pix: few, Stride: 16000, Rect: large},
		"Gray":            &image.Gray{Pix: few, Stride: 4000, Rect: large},
		"short rows":      &image.NRGBA{Pix: few, Stride: 4, Rect: image.Rect(0, 0, 4, 4)},
		"rows upwards":    &image.Gray{Pix: few, Stride: -8, Rect: image.Rect(0, 0, 8, 8)},
		"no pixels":       &image.Gray{Rect: large},
		"beyond the last": &image.Gray{Pix: few, Stride: 8, Rect: image.Rect(0, 0, 8, 9)},
	} {
		_, err := c.Decode(background, Picture(picture))
		if err == nil {
			t.Errorf("%s: no error", what)
			continue
		}
		wantError(t, err, ErrArgument, "fewer pixels")
	}
	last := &image.Gray{Pix: few[:61], Stride: 8, Rect: image.Rect(0, 0, 5, 8)} // its last row is short
	if _, err := c.Decode(background, Picture(last)); err != nil {
		t.Error(err)
	}
}

// Bytes may be a part of what has pointers of Go's as well.
func TestBytesBesidePointers(t *testing.T) {
	content := read(t, file("fish.jpg"))
	packet := &struct {
		next *int
		data [1 << 20]byte
	}{next: new(int)}
	n := copy(packet.data[:], content)
	if _, err := open(t).Decode(background, Bytes(packet.data[:n])); err != nil {
		t.Error(err)
	}
}

// The largest limits: numbers do not run over.
func TestLimitsWithoutEnd(t *testing.T) {
	const most = "9007199254740992" // that libitem takes
	c := openOwn(t, Set("max_file_bytes", most), Set("max_pixels", most))
	if _, err := c.Decode(background, Reader(bytes.NewReader(read(t, file("fish.jpg"))))); err != nil {
		t.Error(err)
	}
	_, err := c.Decode(background, Picture(&image.Gray{Rect: image.Rect(0, 0, 1<<32+8, 1)}))
	wantError(t, err, ErrLimit, "pixels")
}
