// SPDX-License-Identifier: Apache-2.0

package item

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

var sampled = []string{"chelsea.jpg", "coffee.jpg", "surfing_dog.jpg"}

// A file that was written just now is read again: those of the tests are older.
var long = time.Date(2023, 12, 31, 23, 59, 59, 0, time.UTC)

func put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
}

// folderOf makes a folder of some of the repository's pictures.
func folderOf(t testing.TB, names ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range names {
		put(t, filepath.Join(folder, name), read(t, file(name)))
	}
	return folder
}

// openIndex gives an empty index.
func openIndex(t testing.TB) (x *Index, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "index")
	x, err := OpenIndex(path, IndexCreate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x, path
}

func scan(t testing.TB, x *Index, options ScanOptions, folders ...string) ScanCounts {
	t.Helper()
	counts, err := x.Scan(background, open(t), folders, options)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func find(t testing.TB, x *Index, query Query) (all []Row) {
	t.Helper()
	rows, err := x.Find(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		all = append(all, rows.Row())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// names are those of the files that a query finds, joined by blanks.
func names(t testing.TB, x *Index, query Query) string {
	t.Helper()
	var all []string
	for _, row := range find(t, x, query) {
		all = append(all, filepath.Base(row.Path))
	}
	return strings.Join(all, " ")
}

// wantNames fails unless a query finds these files.
func wantNames(t testing.TB, x *Index, query Query, wanted string) {
	t.Helper()
	if found := names(t, x, query); found != wanted {
		t.Errorf("%+v finds %q, not %q", query, found, wanted)
	}
}

// What one scan found is asked, shown, exported, and scanned again.
func TestIndex(t *testing.T) {
	countGoroutines(t)
	folder := folderOf(t, sampled...)
	put(t, filepath.Join(folder, "bad.jpg"), []byte("no picture"))
	put(t, filepath.Join(folder, "copy.jpg"), read(t, file("coffee.jpg")))
	put(t, filepath.Join(folder, "notes.txt"), []byte("no picture"))
	x, _ := openIndex(t)
	var trouble []string
	var done, total uint64
	counts := scan(t, x, ScanOptions{
		Progress: func(d, n uint64) { done, total = d, n },
		Trouble: func(path string, err error) {
			wantError(t, err, ErrFormat, "not a picture")
			trouble = append(trouble, path)
		},
	}, folder)
	if counts != (ScanCounts{Answered: 3, Copies: 1, Failed: 1, Other: 1}) {
		t.Errorf("%+v", counts)
	}
	if done != 6 || total != 6 || !reflect.DeepEqual(trouble, []string{filepath.Join(folder, "bad.jpg")}) {
		t.Error(done, total, trouble)
	}
	if err := os.Remove(filepath.Join(folder, "copy.jpg")); err != nil {
		t.Fatal(err)
	}
	counts = scan(t, x, ScanOptions{})
	if counts.Unchanged != 3 || counts.Answered != 0 || counts.Missing != 1 {
		t.Errorf("%+v", counts)
	}
	t.Run("find", func(t *testing.T) { askWords(t, x); askNumbers(t, x) })
	t.Run("rows", func(t *testing.T) { compareRows(t, x) })
	t.Run("import", func(t *testing.T) { exportAndImport(t, x, folder) })
	t.Run("page", func(t *testing.T) { writePages(t, x) })
	t.Run("close", func(t *testing.T) { useAfterClose(t, x, folder) })
}

func askWords(t *testing.T, x *Index) {
	all := strings.Join(sampled, " ")
	wantNames(t, x, Query{}, all)
	wantNames(t, x, Query{Object: "dogs"}, "surfing_dog.jpg")
	wantNames(t, x, Query{Caption: "wat* dog"}, "surfing_dog.jpg")
	wantNames(t, x, Query{Folder: "/proc"}, "")
	wantNames(t, x, Query{Claims: []Claim{ClaimAI, ClaimCapture}}, "")
	wantNames(t, x, Query{States: StateFailed | StateMissing}, "bad.jpg copy.jpg")
	wantNames(t, x, Query{Verdicts: []Verdict{VerdictAI, VerdictUnsure, VerdictReal}}, all)
	for _, row := range find(t, x, Query{}) {
		found := names(t, x, Query{Verdicts: []Verdict{row.Verdict}})
		if !strings.Contains(found, filepath.Base(row.Path)) {
			t.Errorf("%v finds %s", row.Verdict, found)
		}
	}
	for _, query := range []Query{{Caption: " "}, {Limit: -1}, {Order: 9}, {States: 99}, {Caption: "a\x00b"},
		{Verdicts: []Verdict{9}}} {
		_, err := x.Find(query)
		wantError(t, err, ErrArgument, "")
	}
	_, err := x.Find(Query{Caption: "\xff"})
	wantError(t, err, ErrFormat, "UTF-8")
}

func askNumbers(t *testing.T, x *Index) {
	rows := find(t, x, Query{Order: OrderProbability})
	middle := rows[1].Probability
	wantNames(t, x, Query{Order: OrderProbability, Limit: 1}, filepath.Base(rows[0].Path))
	for query, many := range map[string]int{
		"least": len(find(t, x, Query{Least: middle - 1e-6})),
		"most":  len(find(t, x, Query{Most: middle + 1e-6})),
	} {
		if many != 2 {
			t.Errorf("%s %v finds %d", query, middle, many)
		}
	}
	later, err := time.Parse(time.RFC3339, "2024-01-01T01:00:00+01:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range find(t, x, Query{}) {
		taken := row.Taken.Before(later)
		if !row.Modified.Equal(long) || strings.Contains(names(t, x, Query{Until: later}), filepath.Base(row.Path)) != taken ||
			strings.Contains(names(t, x, Query{Since: later}), filepath.Base(row.Path)) == taken {
			t.Errorf("%s: %v, %v", row.Path, row.Taken, row.Modified)
		}
	}
}

// A row is what its line of JSON says, and what Check says.
func compareRows(t *testing.T, x *Index) {
	for _, row := range find(t, x, Query{}) {
		wanted := check(t, open(t), File(row.Path))
		var said struct{ File, Caption, Verdict string }
		if err := json.Unmarshal([]byte(row.JSON), &said); err != nil {
			t.Fatal(err)
		}
		if said.File != row.Path || said.Caption != row.Caption || said.Verdict != row.Verdict.String() ||
			row.Caption != wanted.Caption || row.Verdict != wanted.Verdict || row.Reason != wanted.Reason.Name ||
			row.Width != wanted.Width || row.Height != wanted.Height ||
			math.Abs(row.Probability-wanted.Probability) > 1e-4 {
			t.Errorf("%+v, checked: %s", row, wanted.JSON)
		}
		if row.State.String() != "answered" || row.Err != nil || len(row.SHA256) != 64 || row.Bytes < 1000 {
			t.Errorf("%+v", row)
		}
	}
	bad := find(t, x, Query{States: StateFailed})[0]
	wantError(t, bad.Err, ErrFormat, bad.Path)
	if bad.State.String() != "failed" || !math.IsNaN(bad.Probability) || bad.Verdict != VerdictNone {
		t.Errorf("%+v", bad)
	}
}

// exported are the rows of an index as Import takes them.
func exported(t *testing.T, x *Index) (lines []string) {
	for _, row := range find(t, x, Query{}) {
		line, err := json.Marshal(map[string]any{"path": row.Path, "bytes": row.Bytes,
			"mtime_ns": row.Modified.UnixNano(), "sha256": row.SHA256, "answer": json.RawMessage(row.JSON)})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line)+"\n")
	}
	return lines
}

func exportAndImport(t *testing.T, x *Index, folder string) {
	lines := exported(t, x)
	y, _ := openIndex(t)
	if n, err := y.Import(background, strings.NewReader(strings.Join(lines, ""))); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	wantNames(t, y, Query{Object: "dog"}, "surfing_dog.jpg")
	if counts := scan(t, y, ScanOptions{}, folder); counts.Unchanged != 3 || counts.Answered != 0 {
		t.Errorf("%+v", counts)
	}
	many := strings.Repeat(lines[0], importedAtOnce)
	for content, wanted := range map[string]string{
		lines[0] + "no JSON": "row 2: ", many + "{}": "after row 1000: row 1: ", "{\"path\":3}\n": "row 1: ",
	} {
		_, err := y.Import(background, strings.NewReader(content))
		wantError(t, err, ErrFormat, wanted)
	}
	if _, err := y.Import(nil, strings.NewReader("")); !errors.Is(err, ErrArgument) { //lint:ignore SA1012 the mistake is meant
		t.Error(err)
	}
	_, err := y.Import(background, strings.NewReader("{}\x00"))
	wantError(t, err, ErrArgument, "zero byte")
	_, err = y.Import(background, iotest.ErrReader(fs.ErrPermission))
	if wantError(t, err, ErrIO, "cannot read the rows"); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	_, err = y.Import(background, nil)
	wantError(t, err, ErrArgument, "nil")
	ended, cancel := context.WithCancel(background)
	cancel()
	_, err = y.Import(ended, strings.NewReader(lines[0]))
	if wantError(t, err, ErrCancelled, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func writePages(t *testing.T, x *Index) {
	path := filepath.Join(t.TempDir(), "page.html")
	var done uint64
	options := PageOptions{Title: "My <pictures>", Progress: func(d, _ uint64) { done = d }}
	if err := x.WriteHTML(background, path, Query{Object: "dog"}, options); err != nil {
		t.Fatal(err)
	}
	page := read(t, File(path))
	if !bytes.Contains(page, []byte("My &lt;pictures&gt;")) || !bytes.Contains(page, []byte("surfing_dog.jpg")) ||
		bytes.Contains(page, []byte("chelsea.jpg")) || done != 1 {
		t.Error("the page is not that of the query")
	}
	ended, cancel := context.WithCancel(background)
	options.Progress = func(_, _ uint64) { cancel() }
	err := x.WriteHTML(ended, path+".none", Query{}, options)
	wantError(t, err, ErrCancelled, "")
	if _, err := os.Stat(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("half a page was left")
	}
	wantError(t, x.WriteHTML(background, "/no/such/page.html", Query{}, PageOptions{}), ErrIO, "/no/such")
	wantError(t, x.WriteHTML(background, path, Query{Object: " "}, PageOptions{}), ErrArgument, "no words")
	wantError(t, x.WriteHTML(background, "a\x00b", Query{}, PageOptions{}), ErrArgument, "zero byte")
}

func useAfterClose(t *testing.T, x *Index, folder string) {
	rows, err := x.Find(Query{})
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	first := rows.Row()
	x.Close()
	x.Close()
	if rows.Next() || !errors.Is(rows.Err(), ErrClosed) || !reflect.DeepEqual(rows.Row(), first) {
		t.Error("rows of a closed index:", rows.Err())
	}
	rows.Close()
	uses := map[string]func() error{
		"Scan":       func() error { _, err := x.Scan(background, open(t), []string{folder}, ScanOptions{}); return err },
		"Find":       func() error { _, err := x.Find(Query{}); return err },
		"Import":     func() error { _, err := x.Import(background, strings.NewReader("")); return err },
		"WriteHTML":  func() error { return x.WriteHTML(background, "x", Query{}, PageOptions{}) },
		"zero value": func() error { _, err := new(Index).Find(Query{}); return err },
	}
	for what, use := range uses {
		if err := use(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A file of another program is refused and left as it is; no file is made to be read.
func TestIndexesOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	notes := append([]byte("SQLite format 3\x00"), make([]byte, 4080)...)
	put(t, path, notes)
	for _, flags := range []IndexFlag{0, IndexCreate} {
		_, err := OpenIndex(path, flags)
		wantError(t, err, ErrFormat, "is no index of libitem")
	}
	if content := read(t, File(path)); !bytes.Equal(content, notes) {
		t.Error("it was written to")
	}
	_, err := OpenIndex(path+".none", 0)
	if wantError(t, err, ErrIO, "cannot be opened"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	_, err = OpenIndex("a\x00b", 0)
	wantError(t, err, ErrArgument, "zero byte")
	_, err = OpenIndex(path, 99)
	wantError(t, err, ErrArgument, "flags")
	_, written := openIndex(t)
	reading, err := OpenIndex(written, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	_, err = reading.Scan(background, open(t), []string{"."}, ScanOptions{})
	wantError(t, err, ErrArgument, "without ITEM_INDEX_CREATE")
}

// A context that ends cancels a scan, and one that waits for its turn; the next one goes on.
func TestScanCancelled(t *testing.T) {
	countGoroutines(t)
	folder := folderOf(t, "fish.jpg", "flower.jpg")
	c := openOwn(t, Set("batch", "1"))
	x, _ := openIndex(t)
	ctx, cancel := context.WithCancel(background)
	var waiting error
	counts, err := x.Scan(ctx, c, []string{folder}, ScanOptions{Progress: func(done, total uint64) {
		soon, end := context.WithTimeout(background, 10*time.Millisecond)
		defer end()
		_, waiting = x.Scan(soon, c, nil, ScanOptions{})
		cancel()
	}})
	if wantError(t, err, ErrCancelled, ""); !errors.Is(err, context.Canceled) || counts.Answered != 1 {
		t.Error(err, counts)
	}
	if !errors.Is(waiting, context.DeadlineExceeded) || !errors.Is(waiting, ErrCancelled) {
		t.Error(waiting)
	}
	if counts, err := x.Scan(background, c, nil, ScanOptions{}); err != nil || counts.Answered != 1 || counts.Unchanged != 1 {
		t.Error(counts, err)
	}
	_, err = x.Scan(background, c, []string{"/no/such/folder"}, ScanOptions{})
	if wantError(t, err, ErrIO, "/no/such/folder"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// What a callback panics with comes out of Scan, and a scan that is on its way is ended first.
func TestScanCallbacks(t *testing.T) {
	folder := t.TempDir()
	put(t, filepath.Join(folder, "bad.jpg"), []byte("no picture"))
	x, _ := openIndex(t)
	for _, options := range []ScanOptions{
		{Trouble: func(string, error) { panic("enough") }},
		{Hash: true, Progress: func(_, _ uint64) { panic("enough") }},
	} {
		func() {
			defer func() {
				if said := recover(); said != "enough" {
					t.Errorf("recovered %v", said)
				}
			}()
			x.Scan(background, open(t), []string{folder}, options)
		}()
	}
	closing := ScanOptions{Hash: true, Progress: func(_, _ uint64) { x.Close() }}
	if counts := scan(t, x, closing, folder); counts.Failed != 1 {
		t.Errorf("%+v", counts)
	}
	if _, err := x.Find(Query{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// Goroutines share an index while it is closed, and rows are left to the garbage collector.
func TestIndexShared(t *testing.T) {
	countGoroutines(t)
	folder := t.TempDir()
	for i := 0; i < 20; i++ {
		put(t, filepath.Join(folder, fmt.Sprint(i, ".jpg")), []byte("no picture"))
	}
	x, path := openIndex(t)
	scan(t, x, ScanOptions{}, folder)
	var running sync.WaitGroup
	for i := 0; i < 4; i++ {
		running.Add(1)
		go func() {
			defer running.Done()
			for many := 0; ; many++ {
				rows, err := x.Find(Query{States: StateFailed})
				if err == nil && !rows.Next() {
					err = rows.Err()
				}
				if many == 50 {
					x.Close()
				}
				if many%10 == 0 {
					runtime.GC()
				}
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	running.Wait()
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("SQLite has not closed it:", err)
	}
}
