// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"io"
	"math/rand"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"libitem.invalid/go/item"
)

// A fake is a checker that answers what a test wants.
type fake struct {
	answer func(context.Context, item.Bytes) (*item.Result, error)
}

func (f fake) Check(ctx context.Context, in item.Input, _ ...item.CheckOption) (*item.Result, error) {
	return f.answer(ctx, in.(item.Bytes))
}

const line = `{"file":"", "odd" : 1.50,"text":"<é>\u00e9"}`

var quick = fake{func(context.Context, item.Bytes) (*item.Result, error) { return &item.Result{JSON: line}, nil }}

// start serves on loopback until the test ends, and gives the address.
func start(t *testing.T, c checker, change func(*limits)) (*service, string) {
	t.Helper()
	l := defaults
	if change != nil {
		change(&l)
	}
	s := newService(c, l)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := s.server()
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return s, listener.Addr().String()
}

// post sends a body and gives status and answer.
func post(t *testing.T, addr, kind string, body io.Reader) (int, string) {
	t.Helper()
	answer, err := http.Post("http://"+addr+"/check", kind, body)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func get(t *testing.T, addr, path string) (int, string) {
	t.Helper()
	answer, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

// wantRefusal fails unless the answer is JSON with the code.
func wantRefusal(t *testing.T, what string, status int, answer string, wanted int, code string) {
	t.Helper()
	var said struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(answer), &said); err != nil {
		t.Fatalf("%s: %v: %q", what, err, answer)
	}
	if status != wanted || said.Error.Code != code || said.Error.Message == "" {
		t.Errorf("%s: %d, %s; not %d, %s", what, status, answer, wanted, code)
	}
}

// eventually waits for what other goroutines do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("in vain: " + what)
		}
	}
}

func form(t *testing.T, parts ...string) (string, io.Reader) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.CreateFormFile(parts[i], "name.jpg")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, parts[i+1])
	}
	w.Close()
	return w.FormDataContentType(), &body
}

// What libitem says passes through byte for byte, and what is uploaded reaches it likewise.
func TestNothingIsChanged(t *testing.T) {
	var seen string
	echo := fake{func(_ context.Context, in item.Bytes) (*item.Result, error) {
		seen = string(in)
		return &item.Result{JSON: line}, nil
	}}
	_, addr := start(t, echo, nil)
	sent := strings.Repeat("\x00\xff\r\n--", 20000)
	kind, body := form(t, "other", "x", "picture", sent, "more", "y")
	for what, answer := range map[string]func() (int, string){
		"raw":  func() (int, string) { return post(t, addr, "image/jpeg", strings.NewReader(sent)) },
		"form": func() (int, string) { return post(t, addr, kind, body) },
	} {
		seen = ""
		if status, text := answer(); status != 200 || text != line+"\n" {
			t.Errorf("%s: %d, %q", what, status, text)
		}
		if seen != sent {
			t.Errorf("%s: %d bytes arrived of %d", what, len(seen), len(sent))
		}
	}
}

// The real thing: pictures, and what is none.
func TestPictures(t *testing.T) {
	checker, err := open("", 0, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer checker.Close()
	_, addr := start(t, checker, func(l *limits) { l.bytes = 1 << 20 })
	jpeg, err := os.ReadFile(filepath.Join("../../../../examples/pictures", "surfing_dog.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	kind, body := form(t, "picture", string(jpeg))
	status, answer := post(t, addr, kind, body)
	var said struct {
		Caption, Verdict string
		Probability      float64
	}
	if err := json.Unmarshal([]byte(answer), &said); err != nil || status != 200 {
		t.Fatal(status, answer, err)
	}
	direct, err := checker.Check(context.Background(), item.Bytes(jpeg))
	if err != nil {
		t.Fatal(err)
	}
	if said.Caption != direct.Caption || said.Verdict != direct.Verdict.String() ||
		said.Probability-direct.Probability > 1e-6 || direct.Probability-said.Probability > 1e-6 {
		t.Errorf("%+v, directly %s", said, direct.JSON)
	}
	head := "IHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00"
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(head)))
	hugePNG := "\x89PNG\r\n\x1a\n\x00\x00\x00\r" + head + string(sum) + "\x00\x00\x00\x01IDAT"
	noise := make([]byte, 10000)
	rand.New(rand.NewSource(1)).Read(noise)
	for _, row := range []struct {
		what, sent string
		status     int
		code       string
	}{
		{"nothing", "", 422, "ITEM_E_FORMAT"},
		{"a text", "a text", 422, "ITEM_E_FORMAT"},
		{"cut off", string(jpeg[:5000]), 422, "ITEM_E_FORMAT"},
		{"noise", string(noise), 422, "ITEM_E_FORMAT"},
		{"noise behind a JPEG's head", string(jpeg[:600]) + string(noise), 422, "ITEM_E_FORMAT"},
		{"a GIF", "GIF89a\x01\x00\x01\x00\x00\x00\x00;", 415, "ITEM_E_UNSUPPORTED"},
		{"a PNG of 60,000 x 60,000", hugePNG, 413, "ITEM_E_LIMIT"},
	} {
		status, answer := post(t, addr, "application/octet-stream", strings.NewReader(row.sent))
		wantRefusal(t, row.what, status, answer, row.status, row.code)
	}
}

func TestWrongRequests(t *testing.T) {
	_, addr := start(t, quick, nil)
	status, answer := get(t, addr, "/check")
	wantRefusal(t, "GET", status, answer, 405, "method")
	if status, _ := get(t, addr, "/nothing"); status != 404 {
		t.Error(status)
	}
	kind, body := form(t, "file", "x")
	status, answer = post(t, addr, kind, body)
	wantRefusal(t, "no picture in the form", status, answer, 400, "form")
	status, answer = post(t, addr, "multipart/form-data", strings.NewReader("x"))
	wantRefusal(t, "no boundary", status, answer, 400, "form")
	status, answer = post(t, addr, "multipart/form-data; boundary=a", strings.NewReader("--a\r\nbroken"))
	wantRefusal(t, "broken form", status, answer, 400, "upload")
}

func TestMetrics(t *testing.T) {
	_, addr := start(t, quick, nil)
	post(t, addr, "", strings.NewReader("x"))
	get(t, addr, "/check")
	status, text := get(t, addr, "/metrics")
	if status != 200 {
		t.Fatal(status)
	}
	families := map[string]bool{} // OpenMetrics, to which collectors translate, takes off _total
	for _, kind := range regexp.MustCompile(`(?m)^# TYPE ([a-z_]+) `).FindAllStringSubmatch(text, -1) {
		name := strings.TrimSuffix(kind[1], "_total")
		if families[name] {
			t.Errorf("%s stands there twice", name)
		}
		families[name] = true
	}
	sample := regexp.MustCompile(`^[a-z_]+(\{[a-z]+="[^"\\]*"\})? [0-9.e+-]+$`)
	for _, said := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.HasPrefix(said, "# ") && !sample.MatchString(said) {
			t.Errorf("no sample: %q", said)
		}
	}
	for _, wanted := range []string{`item_requests_total{code="200"} 1`, `item_requests_total{code="405"} 1`,
		`item_verdicts_total{verdict="none"} 1`, `item_request_seconds_count 2`,
		`item_check_seconds_bucket{le="+Inf"} 1`, "item_checks_in_flight 0", "item_requests_in_flight 0"} {
		if !strings.Contains(text, wanted+"\n") {
			t.Errorf("no %s in\n%s", wanted, text)
		}
	}
	if strings.Contains(text, "process_resident_memory_bytes 0\n") {
		t.Error("no memory")
	}
}

// SIGTERM: what runs is answered, /healthz says so, then the service ends without an error.
func TestStop(t *testing.T) {
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- run([]string{"-listen", "127.0.0.1:0"}, func(addr string) { ready <- addr })
	}()
	var addr string
	select {
	case addr = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	jpeg, err := os.ReadFile("../../../../examples/pictures/fish.jpg")
	if err != nil {
		t.Fatal(err)
	}
	body, upload := io.Pipe()
	answered := make(chan int, 1)
	go func() {
		status, _ := post(t, addr, "image/jpeg", body)
		answered <- status
	}()
	upload.Write(jpeg[:100]) // it is being read
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing listens", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	upload.Write(jpeg[100:])
	upload.Close()
	if status := <-answered; status != 200 {
		t.Errorf("the running request got %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// startHasty starts a service that gives 50 ms of grace when it is stopped.
func startHasty(t *testing.T, s *service) (addr string, stop func(), ended chan error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended = make(chan error, 1)
	go func() { ended <- serve(ctx, s, listener, 50*time.Millisecond, func(string) {}) }()
	return listener.Addr().String(), stop, ended
}

// What takes longer than the grace is cancelled.
func TestStopCancels(t *testing.T) {
	endless := fake{func(ctx context.Context, _ item.Bytes) (*item.Result, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	s := newService(endless, defaults)
	addr, stop, ended := startHasty(t, s)
	answered := make(chan int, 1)
	go func() {
		status, _ := post(t, addr, "", strings.NewReader("x"))
		answered <- status
	}()
	eventually(t, "the check runs", func() bool { return len(s.checks) == 1 })
	stop()
	if status := <-answered; status != 503 {
		t.Errorf("the running request got %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	recorder := &answer{}
	s.serveHealth(recorder, nil)
	if recorder.status != 503 {
		t.Errorf("health: %d", recorder.status)
	}
}

// An answer keeps the status.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) Header() http.Header             { return http.Header{} }
func (a *answer) WriteHeader(status int)          { a.status = status }
func (a *answer) Write(bytes []byte) (int, error) { return len(bytes), nil }

func TestWrongStart(t *testing.T) {
	for _, args := range [][]string{{"-pack", "no/pack"}, {"-listen", "256.0.0.1:x"}, {"a word"},
		{"-checks", "0"}, {"-checks", "-1"}, {"-requests", "-1"}, {"-connections", "0"}, {"-max-bytes", "0"},
		{"-max-bytes", "9223372036854775807"}, {"-upload-time", "0"}, {"-header-time", "-1s"},
		{"-wait-time", "0"}, {"-answer-time", "0"}, {"-idle-time", "0"}, {"-grace", "-1s"}} {
		if err := run(args, func(string) { t.Error("it serves") }); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
