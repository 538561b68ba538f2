// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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

// An upload of 1 GB is refused when it says so, or when it has sent max-bytes; it is never held.
func TestHugeUpload(t *testing.T) {
	const huge = 1 << 30
	s, addr := start(t, quick, func(l *limits) { l.bytes = 1 << 20 })
	kind, _ := form(t, "picture", "")
	prefix := "--" + kind[strings.Index(kind, "=")+1:] + "\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\n"
	for what, row := range map[string]struct{ head, first string }{
		"announced": {fmt.Sprintf("Content-Length: %d\r\n", huge), ""},
		"chunked":   {"Transfer-Encoding: chunked\r\n", ""},
		"form":      {"Transfer-Encoding: chunked\r\nContent-Type: " + kind + "\r\n", prefix},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan int64, 1)
		go func() { sent <- pour(conn, row.head, row.first, huge) }()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(what, err)
		}
		text, _ := io.ReadAll(answer.Body)
		conn.Close()
		wantRefusal(t, what, answer.StatusCode, string(text), 413, "ITEM_E_LIMIT")
		if n := <-sent; n > 64<<20 { // what kernels buffer
			t.Errorf("%s: %d bytes were taken", what, n)
		}
		runtime.ReadMemStats(&after)
		if held := int64(after.TotalAlloc - before.TotalAlloc); held > 16<<20 {
			t.Errorf("%s: %d bytes were allocated", what, held)
		}
	}
	eventually(t, "no place is taken", func() bool { return len(s.requests) == 0 })
}

// pour sends a request with a body of n bytes, until nobody takes any more. It gives how many went.
func pour(conn net.Conn, head, first string, n int64) (sent int64) {
	const size = 64 << 10
	block := bytes.Repeat([]byte("x"), size)
	if strings.Contains(head, "chunked") {
		block = []byte(fmt.Sprintf("%x\r\n%s\r\n", size, block))
	}
	fmt.Fprintf(conn, "POST /check HTTP/1.1\r\nHost: test\r\n%s\r\n", head)
	if first != "" {
		fmt.Fprintf(conn, "%x\r\n%s\r\n", len(first), first)
	}
	for sent < n {
		conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
		if _, err := conn.Write(block); err != nil {
			return sent
		}
		sent += size
	}
	return sent
}

// Who sends slowly is cut off, and keeps no check from running meanwhile.
func TestSlowUpload(t *testing.T) {
	s, addr := start(t, quick, func(l *limits) {
		l.upload, l.header, l.checks = 400*time.Millisecond, 200*time.Millisecond, 1
	})
	for what, head := range map[string]string{
		"body": "POST /check HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n",
		"head": "POST /check HTTP/1.1\r\nHost: test\r\n",
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, head)
		var stopped atomic.Bool
		go func() {
			for i := 0; !stopped.Load(); i++ {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		if what == "body" {
			eventually(t, "the upload is read", func() bool { return len(s.requests) == 1 })
		}
		if status, text := post(t, addr, "", strings.NewReader("quick")); status != 200 {
			t.Errorf("beside a slow %s: %d, %s", what, status, text)
		}
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		answer, err := io.ReadAll(conn)
		stopped.Store(true)
		if err != nil {
			if failed, is := err.(net.Error); is && failed.Timeout() {
				t.Fatalf("a slow %s goes on", what)
			}
		}
		if what == "body" && !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
			t.Errorf("slow body: %q", answer)
		}
	}
	eventually(t, "no place is taken", func() bool { return len(s.requests) == 0 })
}

// Beyond the limit of uploads there is 503 at once; beyond that of checks a request waits.
func TestConcurrency(t *testing.T) {
	var running, most atomic.Int64
	hold := make(chan struct{})
	slow := fake{func(ctx context.Context, _ item.Bytes) (*item.Result, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		<-hold
		return &item.Result{JSON: line}, nil
	}}
	s, addr := start(t, slow, func(l *limits) { l.requests, l.checks = 5, 2 })
	var all sync.WaitGroup
	for i := 0; i < 5; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if status, text := post(t, addr, "", strings.NewReader("x")); status != 200 {
				t.Errorf("%d, %s", status, text)
			}
		}()
	}
	eventually(t, "five requests, two of them running", func() bool {
		return len(s.requests) == 5 && running.Load() == 2
	})
	answer, err := http.Post("http://"+addr+"/check", "", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	wantRefusal(t, "the sixth", answer.StatusCode, string(text), 503, "busy")
	if answer.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(hold)
	all.Wait()
	if most.Load() != 2 {
		t.Errorf("%d checks at once", most.Load())
	}
}

func TestNoTurn(t *testing.T) {
	s, addr := start(t, quick, func(l *limits) { l.checks, l.wait = 1, 50*time.Millisecond })
	s.checks <- struct{}{} // another check that does not end
	status, answer := post(t, addr, "", strings.NewReader("x"))
	wantRefusal(t, "no turn", status, answer, 503, "busy")
}

// A client that goes away cancels its check, and one that waits gives up its place.
func TestClientGoesAway(t *testing.T) {
	cancelled := make(chan error, 1)
	endless := fake{func(ctx context.Context, _ item.Bytes) (*item.Result, error) {
		<-ctx.Done()
		cancelled <- ctx.Err()
		return nil, ctx.Err()
	}}
	s, addr := start(t, endless, func(l *limits) { l.checks = 1 })
	send := func() context.CancelFunc {
		ctx, cancel := context.WithCancel(context.Background())
		request, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/check", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		go http.DefaultClient.Do(request)
		return cancel
	}
	leave := send()
	eventually(t, "the check runs", func() bool { return len(s.checks) == 1 })
	leaveQueue := send()
	eventually(t, "another one waits", func() bool { return len(s.requests) == 2 })
	leaveQueue()
	eventually(t, "the one that waited is gone", func() bool { return len(s.requests) == 1 })
	leave()
	if err := <-cancelled; err != context.Canceled {
		t.Error(err)
	}
	eventually(t, "all places are free", func() bool { return len(s.requests)+len(s.checks) == 0 })
	eventually(t, "both are counted", func() bool {
		_, text := get(t, addr, "/metrics")
		return strings.Contains(text, `item_requests_total{code="499"} 2`)
	})
}

// 1,000 connections at once: as many as allowed are held, the others closed; then all is as before.
func TestManyConnections(t *testing.T) {
	const many, most = 1000, 300
	s, addr := start(t, quick, func(l *limits) { l.connections, l.header = most, time.Minute })
	before := runtime.NumGoroutine()
	kept := []net.Conn{}
	for i := 0; i < many; i++ {
		conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		kept = append(kept, conn)
		if i == 0 { // a good client among them
			fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
			if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != 200 {
				t.Fatal(answer, err)
			}
		}
	}
	eventually(t, "no more than allowed are open", func() bool { return s.metrics.connections.Load() <= most })
	var closed atomic.Int64
	var readers sync.WaitGroup
	for _, conn := range kept[1:] {
		readers.Add(1)
		go func(conn net.Conn) {
			defer readers.Done()
			conn.SetReadDeadline(time.Now().Add(2 * time.Second))
			_, err := conn.Read(make([]byte, 1))
			if failed, is := err.(net.Error); !is || !failed.Timeout() {
				closed.Add(1)
			}
		}(conn)
	}
	readers.Wait()
	if closed.Load() != many-most {
		t.Errorf("%d of %d were closed, not %d", closed.Load(), many, many-most)
	}
	for _, conn := range kept {
		conn.Close()
	}
	eventually(t, "no connection is left", func() bool { return s.metrics.connections.Load() == 0 })
	if status, text := post(t, addr, "", strings.NewReader("x")); status != 200 {
		t.Error(status, text)
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before+4 })
}

func TestMetrics(t *testing.T) {
	_, addr := start(t, quick, nil)
	post(t, addr, "", strings.NewReader("x"))
	get(t, addr, "/check")
	status, text := get(t, addr, "/metrics")
	if status != 200 {
		t.Fatal(status)
	}
	sample := regexp.MustCompile(`^[a-z_]+(\{[a-z]+="[^"\\]*"\})? [0-9.e+-]+$`)
	for _, said := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.HasPrefix(said, "# ") && !sample.MatchString(said) {
			t.Errorf("no sample: %q", said)
		}
	}
	for _, wanted := range []string{`item_requests_total{code="200"} 1`, `item_requests_total{code="405"} 1`,
		`item_verdicts_total{verdict="none"} 1`, `item_request_seconds_count 2`,
		`item_check_seconds_bucket{le="+Inf"} 1`, "item_checks 0", "item_requests 0"} {
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

// What takes longer than the grace is cancelled.
func TestStopCancels(t *testing.T) {
	endless := fake{func(ctx context.Context, _ item.Bytes) (*item.Result, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	s := newService(endless, defaults)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, s, listener, 50*time.Millisecond, func(string) {}) }()
	answered := make(chan int, 1)
	go func() {
		status, _ := post(t, listener.Addr().String(), "", strings.NewReader("x"))
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
	for _, args := range [][]string{{"-pack", "no/pack"}, {"-listen", "256.0.0.1:x"}} {
		if err := run(args, func(string) { t.Error("it serves") }); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
