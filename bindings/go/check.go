// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import "context"

// Check judges a picture: caption, objects, similarities, verdict.
func (c *Context) Check(ctx context.Context, in Input, options ...CheckOption) (*Result, error) {
	return c.one(ctx, options, func(k *call, out **C.item_result, e *C.item_error) (C.item_status, error) {
		if file, is := in.(File); is { // read by libitem, so that the result has its name
			if err := file.check(); err != nil {
				return 0, err
			}
			return C.item_check_file(k.ptr, k.text(string(file)), &k.options, out, e), nil
		}
		image, err := k.decode(in)
		if err != nil {
			return 0, err
		}
		defer C.item_image_unref(image)
		return C.item_check_image(k.ptr, image, &k.options, out, e), nil
	})
}

// one is a call that gives one result.
func (c *Context) one(ctx context.Context, options []CheckOption,
	run func(*call, **C.item_result, *C.item_error) (C.item_status, error)) (*Result, error) {
	k, err := c.begin(ctx, options)
	if err != nil {
		return nil, err
	}
	defer k.end()
	var out *C.item_result
	e := C.itemgo_error()
	status, err := run(k, &out, &e)
	if err == nil {
		err = k.err(status, &e)
	}
	if err != nil {
		return nil, err
	}
	defer C.item_result_unref(out)
	return newResult(out, k.settings.vectors), nil
}

// CheckBatch judges pictures together, which is faster than one by one. It gives a result for each,
// in order; a picture that failed is a result with Err. The error is one of the whole call.
func (c *Context) CheckBatch(ctx context.Context, in []Input, options ...CheckOption) ([]*Result, error) {
	k, err := c.begin(ctx, options)
	if err != nil {
		return nil, err
	}
	defer k.end()
	if n := len(k.settings.captions); n > 0 && n != len(in) {
		return nil, refused("Captions must give one caption for each picture")
	}
	b := batch{call: k, in: in, results: make([]*Result, len(in))}
	k.progress.all = uint64(len(in))
	if err := b.checkAll(); err != nil {
		return nil, err
	}
	return b.results, nil
}

// A batch is a CheckBatch that runs.
type batch struct {
	*call
	in      []Input
	results []*Result
}

// checkAll lets libitem read all files in one call. Other pictures are decoded here, no more at once
// than are computed together.
func (b *batch) checkAll() error {
	var files, others []int
	for i, in := range b.in {
		if file, is := in.(File); is && file.check() == nil {
			files = append(files, i)
		} else {
			others = append(others, i)
		}
	}
	if err := b.checkFiles(files); err != nil {
		return err
	}
	b.progress.before += uint64(len(files))
	for len(others) > 0 {
		n := b.c.batch
		if n > len(others) {
			n = len(others)
		}
		if err := b.checkOthers(others[:n]); err != nil {
			return err
		}
		others = others[n:]
		b.progress.before += uint64(n)
	}
	return nil
}

func (b *batch) checkFiles(at []int) error {
	if len(at) == 0 {
		return nil
	}
	var m memory
	defer m.free()
	names := make([]string, len(at))
	for i, j := range at {
		names[i] = string(b.in[j].(File))
	}
	paths := m.texts(names, m.text)
	return b.together(&m, at, func(options *C.item_check_options, out **C.item_result, e *C.item_error) C.item_status {
		return C.item_check_files(b.ptr, paths, C.size_t(len(at)), options, out, e)
	})
}

func (b *batch) checkOthers(at []int) error {
	var good []int
	var images []*C.item_image
	defer func() {
		for _, image := range images {
			C.item_image_unref(image)
		}
	}()
	for _, i := range at {
		image, err := b.decode(b.in[i])
		if b.ctx.Err() != nil {
			C.item_image_unref(image)
			return cancelled(b.ctx)
		}
		if err != nil {
			b.results[i] = failedResult(err)
			continue
		}
		good, images = append(good, i), append(images, image)
	}
	if len(good) == 0 {
		return nil
	}
	var m memory
	defer m.free()
	return b.together(&m, good, func(options *C.item_check_options, out **C.item_result, e *C.item_error) C.item_status {
		return C.item_check_images(b.ptr, &images[0], C.size_t(len(images)), options, out, e)
	})
}

// together runs a call that gives a result for each of the pictures at these places.
func (b *batch) together(m *memory, at []int,
	run func(*C.item_check_options, **C.item_result, *C.item_error) C.item_status) error {
	options := b.options
	if len(b.settings.captions) > 0 {
		captions := make([]string, len(at))
		for i, j := range at {
			captions[i] = b.settings.captions[j]
		}
		options.captions = m.texts(captions, m.optional)
	}
	out := make([]*C.item_result, len(at))
	e := C.itemgo_error()
	if err := b.err(run(&options, &out[0], &e), &e); err != nil {
		return err
	}
	for i, j := range at {
		b.results[j] = newResult(out[i], b.settings.vectors)
		C.item_result_unref(out[i])
	}
	return nil
}
