// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"runtime"
	"sync"
)

// A Context is a pack that is ready to answer, for any number of goroutines.
type Context struct {
	mu     sync.Mutex
	ptr    *C.item_ctx
	users  int // calls that run
	closed bool
	kept   memory // of the log
	limits C.item_image_options
	batch  int
}

// Info is what is known of a context.
type Info struct {
	Pack        string // name and version, or ""
	Layout      string // of the head's features, or ""
	NoVerdict   string // why there is no verdict, or ""
	Width       int    // of the embedder's vectors; 0 before its first use, unless the pack says
	Batch       int    // pictures that are computed together
	WorkingSize int    // short side to which pictures are brought, pixels; 0: none

	HasCaptioner, HasDetector, HasEmbedder, HasHead bool
}

// Open opens a pack: its folder, or "" for the installed one. Networks are opened at their first
// use, so that opening stays quick: their errors come then.
func Open(pack string, options ...Option) (*Context, error) {
	if err := checkText("the pack's path", pack); err != nil {
		return nil, err
	}
	c := &Context{}
	if err := c.open(pack, options); err != nil {
		c.kept.free()
		return nil, err
	}
	runtime.SetFinalizer(c, func(c *Context) { c.Close() })
	return c, nil
}

func (c *Context) open(pack string, options []Option) error {
	e := C.itemgo_error()
	o := opening{kept: &c.kept}
	if status := C.item_config_new(&o.config, &e); status != C.ITEM_OK {
		return failure(status, &e)
	}
	defer C.item_config_unref(o.config)
	for _, option := range options {
		if err := option(&o); err != nil {
			return err
		}
	}
	var m memory
	defer m.free()
	if status := C.item_ctx_open(m.optional(pack), o.config, &c.ptr, &e); status != C.ITEM_OK {
		return failure(status, &e)
	}
	c.limits = C.itemgo_image_options()
	if status := C.item_ctx_get_image_options(c.ptr, &c.limits, &e); status != C.ITEM_OK {
		C.item_ctx_unref(c.ptr)
		return failure(status, &e)
	}
	c.batch = factsOf(c.ptr).Batch
	return nil
}

// Close releases the context, once the calls that run have ended. It returns nil.
func (c *Context) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ptr == nil {
		return nil
	}
	c.closed = true
	runtime.SetFinalizer(c, nil)
	c.releaseUnused()
	return nil
}

func (c *Context) releaseUnused() {
	if c.closed && c.users == 0 {
		C.item_ctx_unref(c.ptr)
		c.ptr = nil
		c.kept.free()
	}
}

// acquire keeps the context open until release.
func (c *Context) acquire() (*C.item_ctx, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ptr == nil {
		return nil, ErrClosed
	}
	c.users++
	return c.ptr, nil
}

func (c *Context) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users--
	c.releaseUnused()
}

// Info tells what is known of the context.
func (c *Context) Info() (Info, error) {
	ptr, err := c.acquire()
	if err != nil {
		return Info{}, err
	}
	defer c.release()
	return factsOf(ptr), nil
}

// factsOf asks what cannot fail: the struct is the header's own.
func factsOf(ptr *C.item_ctx) Info {
	facts := C.itemgo_ctx_info()
	C.item_ctx_get_info(ptr, &facts, nil)
	return Info{
		Pack:         C.GoString(facts.pack),
		Layout:       C.GoString(facts.layout),
		NoVerdict:    C.GoString(facts.no_verdict),
		Width:        int(facts.width),
		Batch:        int(facts.batch),
		WorkingSize:  int(facts.working_size),
		HasCaptioner: facts.has_captioner != 0,
		HasDetector:  facts.has_detector != 0,
		HasEmbedder:  facts.has_embedder != 0,
		HasHead:      facts.has_head != 0,
	}
}
