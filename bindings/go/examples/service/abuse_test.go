// SPDX-License-Identifier: Apache-2.0

package main

// What strangers do to a service: too much, too slowly, too many at once, and leaving early.

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"libitem.invalid/go/item"
)

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

// The time for an upload is over when it was read: a check may take longer, and its client is there.
func TestCheckLongerThanUpload(t *testing.T) {
	slow := fake{func(ctx context.Context, _ item.Bytes) (*item.Result, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
			return &item.Result{JSON: line}, nil
		}
	}}
	_, addr := start(t, slow, func(l *limits) { l.upload = 100 * time.Millisecond })
	for i := 0; i < 2; i++ { // the second on the same connection
		if status, text := post(t, addr, "", strings.NewReader("x")); status != 200 {
			t.Errorf("%d, %s", status, text)
		}
	}
}

// An upload that goes on after the grace is cut off, and the service ends without an error.
func TestStopDuringSlowUpload(t *testing.T) {
	s := newService(quick, defaults)
	addr, stop, ended := startHasty(t, s)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /check HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nx")
	eventually(t, "the upload is read", func() bool { return len(s.requests) == 1 })
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(4 * time.Second):
		t.Error("it does not end")
	}
}

// A head that has no end is refused, and takes no place.
func TestHugeHead(t *testing.T) {
	s, addr := start(t, quick, nil)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go fmt.Fprintf(conn, "POST /check HTTP/1.1\r\nHost: test\r\nX: %s\r\n", strings.Repeat("x", 64<<10))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(answer, err)
	}
	eventually(t, "the connection is gone", func() bool { return s.metrics.connections.Load() == 0 })
}
