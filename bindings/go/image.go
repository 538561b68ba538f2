// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
)

// An Image is a decoded picture, for several calls on it. It does not change, and any number of
// goroutines may use it.
type Image struct {
	mu  sync.Mutex
	ptr *C.item_image

	Width, Height int    // of the upright picture, pixels
	Kind          string // of the file, such as "jpeg" or "png"; else "pixels"
	Warning       string // one line, or ""
}

// Decode reads a picture once, for several calls on it, with the limits of the context.
func (c *Context) Decode(ctx context.Context, in Input) (*Image, error) {
	k, err := c.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer k.end()
	ptr, err := k.decode(in)
	if err != nil {
		return nil, err
	}
	facts := C.itemgo_image_info()
	C.item_image_get_info(ptr, &facts, nil)
	image := &Image{ptr: ptr, Width: int(facts.width), Height: int(facts.height),
		Kind: C.GoString(facts.kind), Warning: C.GoString(facts.warning)}
	runtime.SetFinalizer(image, func(i *Image) { i.Close() })
	return image, nil
}

// Close releases the picture. It returns nil.
func (i *Image) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	C.item_image_unref(i.ptr)
	i.ptr = nil
	runtime.SetFinalizer(i, nil)
	return nil
}

func (i *Image) decode(*reading) (*C.item_image, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ptr == nil {
		return nil, ErrClosed
	}
	return C.item_image_ref(i.ptr), nil
}
