// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import "context"

// A watch sets a cancel handle when a context.Context ends.
type watch struct {
	ctx    context.Context
	cancel *C.item_cancel
	stop   chan struct{} // nil where the context never ends
	ended  chan struct{}
}

func newWatch(ctx context.Context) (*watch, error) {
	if ctx == nil {
		return nil, refused("the context.Context is nil")
	}
	if ctx.Err() != nil {
		return nil, cancelled(ctx)
	}
	w := &watch{ctx: ctx}
	e := C.itemgo_error()
	if status := C.item_cancel_new(&w.cancel, &e); status != C.ITEM_OK {
		return nil, failure(status, &e)
	}
	if ctx.Done() != nil {
		w.stop, w.ended = make(chan struct{}), make(chan struct{})
		go w.run()
	}
	return w, nil
}

func (w *watch) run() {
	defer close(w.ended)
	select {
	case <-w.ctx.Done():
		C.item_cancel_set(w.cancel)
	case <-w.stop:
	}
}

// end waits for the goroutine, which may be using the handle.
func (w *watch) end() {
	if w.stop != nil {
		close(w.stop)
		<-w.ended
	}
	C.item_cancel_unref(w.cancel)
}

// err is the error of a call; nil where there is none.
func (w *watch) err(status C.item_status, e *C.item_error) error {
	if status == C.ITEM_OK {
		return nil
	}
	failed := failure(status, e)
	if failed.Status == ErrCancelled {
		failed.cause = w.ctx.Err()
	}
	return failed
}

// progress hands on what libitem counts, of several calls as if they were one.
type progress struct {
	tell      func(done, total uint64)
	trouble   func(path string, why error) // of a scan
	before    uint64                       // done by earlier calls
	all       uint64                       // of all calls; 0: as libitem says
	cancel    *C.item_cancel
	said      any // what the function panicked with
	panicking bool
}

func (p *progress) report(done, total uint64) {
	if p.all > 0 {
		total = p.all
	}
	p.guard(func() { p.tell(p.before+done, total) })
}

// guard keeps a panic from going on through libitem; rethrow raises it when the call is back.
func (p *progress) guard(run func()) {
	if p.panicking {
		return
	}
	p.panicking = true
	defer func() {
		if p.panicking {
			p.said = recover()
			C.item_cancel_set(p.cancel)
		}
	}()
	run()
	p.panicking = false
}

func (p *progress) rethrow() {
	if p.panicking {
		panic(p.said)
	}
}

// A call holds what one call of this package needs: the context (training and pages have none), the
// watch, the options.
type call struct {
	*watch
	memory
	c        *Context
	ptr      *C.item_ctx
	settings settings
	options  C.item_check_options // without Captions
	progress progress
}

// begin is ended by end.
func (c *Context) begin(ctx context.Context, options []CheckOption) (*call, error) {
	k := &call{c: c}
	for _, option := range options {
		option(&k.settings)
	}
	err := checkTexts("a caption", append([]string{k.settings.caption}, k.settings.captions...))
	if err != nil {
		return nil, err
	}
	if k.ptr, err = c.acquire(); err != nil {
		return nil, err
	}
	if k.watch, err = newWatch(ctx); err != nil {
		c.release()
		return nil, err
	}
	k.fill()
	return k, nil
}

// without is a call that has no context.
func without(ctx context.Context, tell func(done, total uint64)) (*call, error) {
	w, err := newWatch(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{watch: w, settings: settings{progress: tell}}
	k.fill()
	return k, nil
}

func (k *call) fill() {
	k.options = C.itemgo_check_options()
	k.options.max_objects = C.uint32_t(k.settings.maxObjects)
	k.options.caption = k.optional(k.settings.caption)
	k.options.cancel = k.cancel
	k.options.sample = C.double(k.settings.sample)
	k.options.sample_seed = C.uint64_t(k.settings.sampleSeed)
	if k.settings.progress != nil {
		k.progress = progress{tell: k.settings.progress, cancel: k.cancel}
		k.options.progress = C.itemgo_progress()
		k.options.progress_user = k.user(&k.progress)
	}
}

func (k *call) end() {
	k.watch.end()
	k.memory.free()
	if k.c != nil {
		k.c.release()
	}
	k.progress.rethrow()
}
