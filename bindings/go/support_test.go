// SPDX-License-Identifier: Apache-2.0

package item

// What the tests share: a context on the installed pack, pictures, goroutines that are counted.

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

var background = context.Background()

const pictures = "../../examples/pictures"

// file is one of the pictures of the repository.
func file(name string) File { return File(filepath.Join(pictures, name)) }

var shared struct {
	sync.Once
	*Context
	err error
}

// open gives the context that tests share, as opening networks takes longer than using them.
func open(t testing.TB) *Context {
	t.Helper()
	shared.Do(func() { shared.Context, shared.err = Open("") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.Context
}

// openOwn gives a context that the test closes, or the end of the test.
func openOwn(t testing.TB, options ...Option) *Context {
	t.Helper()
	c, err := Open("", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func read(t testing.TB, name File) []byte {
	t.Helper()
	content, err := os.ReadFile(string(name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func check(t testing.TB, c *Context, in Input, options ...CheckOption) *Result {
	t.Helper()
	result, err := c.Check(background, in, options...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// wantError fails unless the error is of the status, and says the words.
func wantError(t testing.TB, err error, status Status, words string) {
	t.Helper()
	var known *Error
	if !errors.Is(err, status) || !errors.As(err, &known) {
		t.Fatalf("error %v, not %v", err, status)
	}
	if !bytes.Contains([]byte(err.Error()), []byte(words)) {
		t.Errorf("%q does not say %q", err, words)
	}
}

// asPNG is the file of a picture.
func asPNG(t testing.TB, picture image.Image) Bytes {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// countGoroutines fails the test if more run at its end than run now.
func countGoroutines(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		t.Helper()
		for until := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; {
			if time.Now().After(until) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before,
					stacks[:runtime.Stack(stacks, true)])
			}
			time.Sleep(time.Millisecond)
		}
	})
}
