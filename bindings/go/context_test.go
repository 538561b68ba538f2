// SPDX-License-Identifier: Apache-2.0

package item

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOpenFails(t *testing.T) {
	folder := t.TempDir()
	for what, row := range map[string]struct {
		pack    string
		options []Option
		status  Status
		words   string
	}{
		"no pack":         {filepath.Join(folder, "none"), nil, ErrPack, "none"},
		"an empty folder": {folder, nil, ErrPack, folder},
		"zero byte":       {"a\x00b", nil, ErrArgument, "zero byte"},
		"unknown option":  {"", []Option{Set("colour", "red")}, ErrArgument, "colour"},
		"wrong value":     {"", []Option{Set("beams", "99")}, ErrArgument, "beams"},
		"zero in option":  {"", []Option{Set("head", "\x00")}, ErrArgument, "zero byte"},
		"zero in engine":  {"", []Option{Engine("\x00")}, ErrArgument, "zero byte"},
		"a missing head":  {"", []Option{Set("head", "no/head")}, ErrIO, "no/head"},
	} {
		c, err := Open(row.pack, row.options...)
		if c != nil {
			t.Errorf("%s: opened", what)
		}
		t.Run(what, func(t *testing.T) { wantError(t, err, row.status, row.words) })
	}
	// an engine is opened at the first network
	_, err := openOwn(t, Engine("no/engine.so")).Caption(background, file("fish.jpg"))
	wantError(t, err, ErrNoEngine, "no/engine.so")
}

func TestInfo(t *testing.T) {
	info, err := openOwn(t, Set("head", "none"), Set("batch", "5")).Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Batch != 5 || info.HasHead || !info.HasCaptioner || info.Width == 0 ||
		!strings.HasPrefix(info.Pack, "small ") || info.NoVerdict == "" {
		t.Errorf("%+v", info)
	}
}

func TestStatusesHaveNames(t *testing.T) {
	if ErrFormat.Error() != "ITEM_E_FORMAT" || Status(999).Error() != "ITEM_E_?" {
		t.Error(ErrFormat, Status(999))
	}
	err := error(&Error{Status: ErrIO, System: 2, Message: "x: gone"})
	if !errors.Is(err, os.ErrNotExist) || !errors.Is(err, ErrIO) || errors.Is(err, ErrFormat) {
		t.Error("an Error is not what it is")
	}
}

// After Close everything says so; a second Close is nothing.
func TestUseAfterClose(t *testing.T) {
	c := openOwn(t)
	for i := 0; i < 3; i++ {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	in := file("fish.jpg")
	uses := map[string]func() error{
		"Check":       func() error { _, err := c.Check(background, in); return err },
		"CheckBatch":  func() error { _, err := c.CheckBatch(background, []Input{in}); return err },
		"Caption":     func() error { _, err := c.Caption(background, in); return err },
		"Detect":      func() error { _, err := c.Detect(background, in, []string{"dog"}); return err },
		"EmbedImages": func() error { _, err := c.EmbedImages(background, []Input{in}); return err },
		"EmbedTexts":  func() error { _, err := c.EmbedTexts(background, []string{"a"}); return err },
		"Tokenize":    func() error { _, err := c.Tokenize("a"); return err },
		"Decode":      func() error { _, err := c.Decode(background, in); return err },
		"Info":        func() error { _, err := c.Info(); return err },
		"Extract":     func() error { _, err := c.Extract(background, ".", ExtractOptions{}); return err },
		"zero value":  func() error { _, err := new(Context).Check(background, in); return err },
	}
	for what, use := range uses {
		if err := use(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Without a context.Context there is an error, and the Context is not held.
func TestNilContext(t *testing.T) {
	c := openOwn(t)
	_, err := c.Check(nil, file("fish.jpg"))
	wantError(t, err, ErrArgument, "is nil")
	if c.users != 0 {
		t.Errorf("%d calls hold it", c.users)
	}
}

// Close, and the garbage collector, wait for the calls that run.
func TestCloseWhileCallsRun(t *testing.T) {
	countGoroutines(t)
	var running sync.WaitGroup
	for i := 0; i < 3; i++ {
		c, err := Open("")
		if err != nil {
			t.Fatal(err)
		}
		started := make(chan struct{})
		running.Add(1)
		go func(c *Context) {
			defer running.Done()
			in := &gate{Reader: bytes.NewReader(read(t, file("fish.jpg"))), started: started}
			if _, err := c.Check(background, Reader(in)); err != nil {
				t.Error(err)
			}
		}(c)
		<-started
		c.Close()
		if _, err := c.Check(background, file("fish.jpg")); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	running.Wait()
}

// A gate tells when it is read first.
type gate struct {
	io.Reader
	started chan struct{}
	once    sync.Once
}

func (g *gate) Read(into []byte) (int, error) {
	g.once.Do(func() { close(g.started) })
	return g.Reader.Read(into)
}

// What nobody holds any more is collected while calls run, and is not missed by them.
func TestGarbageWhileCallsRun(t *testing.T) {
	content := read(t, file("fish.jpg"))
	want := check(t, open(t), Bytes(content)).Caption
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; i < 3; i++ {
			c, err := Open("", Log(func(LogLevel, string) {}))
			if err != nil {
				t.Error(err)
				return
			}
			image, err := c.Decode(background, Bytes(append([]byte(nil), content...)))
			if err != nil {
				t.Error(err)
				return
			}
			if r, err := c.Check(background, image); err != nil || r.Caption != want {
				t.Error(r, err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			runtime.GC()
		}
	}
}

// Contexts that are forgotten are released, and so are the functions of their logs.
func TestForgottenContextsAreReleased(t *testing.T) {
	var released sync.WaitGroup
	for i := 0; i < 20; i++ {
		released.Add(1)
		watched := new([64]byte)
		runtime.SetFinalizer(watched, func(*[64]byte) { released.Done() })
		if _, err := Open("", Log(func(LogLevel, string) { _ = watched[0] })); err != nil {
			t.Fatal(err)
		}
	}
	all := make(chan struct{})
	go func() { released.Wait(); close(all) }()
	for until := time.Now().Add(20 * time.Second); ; {
		runtime.GC()
		select {
		case <-all:
			return
		case <-time.After(10 * time.Millisecond):
			if time.Now().After(until) {
				t.Fatal("contexts that nobody holds are not released")
			}
		}
	}
}

func TestCancel(t *testing.T) {
	countGoroutines(t)
	c := open(t)
	check(t, c, file("fish.jpg")) // networks are open now
	over, cancel := context.WithCancel(background)
	cancel()
	for what, call := range map[string]func(context.Context) error{
		"Check":       func(x context.Context) error { _, err := c.Check(x, file("fish.jpg")); return err },
		"CheckBatch":  func(x context.Context) error { _, err := c.CheckBatch(x, many(40)); return err },
		"Caption":     func(x context.Context) error { _, err := c.Caption(x, file("fish.jpg")); return err },
		"EmbedImages": func(x context.Context) error { _, err := c.EmbedImages(x, many(40)); return err },
		"Reader":      func(x context.Context) error { _, err := c.Check(x, Reader(endless{})); return err },
	} {
		if err := call(over); !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, ended before: %v", what, err)
		}
		soon, cancel := context.WithTimeout(background, 20*time.Millisecond)
		start := time.Now()
		err := call(soon)
		if !errors.Is(err, ErrCancelled) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, ended meanwhile: %v", what, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s went on for %v", what, took)
		}
		cancel()
	}
	check(t, c, file("fish.jpg")) // the context is as good as before
}

// many pictures, some as files and some as bytes.
func many(n int) []Input {
	content, _ := os.ReadFile(string(file("watch.jpg")))
	var in []Input
	for len(in) < n {
		in = append(in, file("fish.jpg"), Bytes(content))
	}
	return in
}

// No goroutine is left behind by calls that end before their context does.
func TestNoGoroutineIsLeft(t *testing.T) {
	countGoroutines(t)
	c := open(t)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	for i := 0; i < 100; i++ {
		c.Decode(ctx, Bytes("no picture"))
		if _, err := c.EmbedTexts(ctx, []string{"a dog"}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	countGoroutines(t)
	c := open(t)
	names := []string{"fish.jpg", "watch.jpg", "chelsea.jpg", "surfing_dog.jpg"}
	want := map[string]*Result{}
	for _, name := range names {
		want[name] = check(t, c, file(name))
	}
	var running sync.WaitGroup
	for i := 0; i < 8; i++ {
		running.Add(1)
		go func(name string) {
			defer running.Done()
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			r, err := c.Check(ctx, Bytes(read(t, file(name))))
			if err != nil {
				t.Error(err)
				return
			}
			near(t, name, r.Probability, want[name].Probability)
			if r.Fingerprint != want[name].Fingerprint {
				t.Errorf("%s: another fingerprint", name)
			}
		}(names[i%len(names)])
	}
	running.Wait()
}

func TestLog(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	c := openOwn(t, Log(func(level LogLevel, line string) {
		mu.Lock()
		defer mu.Unlock()
		if level == LogInfo {
			lines = append(lines, line)
		}
	}))
	if _, err := c.EmbedTexts(background, []string{"a dog"}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if all := strings.Join(lines, "\n"); !strings.Contains(all, "embedder") {
		t.Errorf("the log has no line on the embedder: %q", all)
	}
}

// A panic in a progress function comes out of the call, which is over then, with nothing held.
func TestProgressPanics(t *testing.T) {
	countGoroutines(t)
	c := openOwn(t, Set("batch", "1"))
	said := func() (said any) {
		defer func() { said = recover() }()
		c.CheckBatch(background, many(4), Progress(func(done, total uint64) { panic("enough") }))
		return nil
	}()
	if said != "enough" {
		t.Errorf("the panic became %v", said)
	}
	check(t, c, file("fish.jpg"))
}

var opens = flag.Int("opens", 40, "contexts that TestManyOpen opens; with 1,000 or more memory counts")

// Contexts that are opened and closed leave nothing behind: no memory, no file.
func TestManyOpen(t *testing.T) {
	var memory, files [2]int
	for half := range memory {
		for i := 0; i < *opens/2; i++ {
			c, err := Open("", Log(func(LogLevel, string) {}))
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		memory[half], files[half] = resident(t), openFiles(t)
	}
	if files[1] > files[0] {
		t.Errorf("%d files are open, %d were after half of the contexts", files[1], files[0])
	}
	t.Logf("%d and %d bytes are held", memory[0], memory[1])
	if *opens >= 1000 && memory[1] > memory[0]+8<<20 {
		t.Errorf("%d bytes are held, %d were after half of the contexts", memory[1], memory[0])
	}
}

func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var whole, pages int
	if _, err := fmt.Sscan(string(text), &whole, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(entries)
}
