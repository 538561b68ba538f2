// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"context"
	"unsafe"
)

// Caption captions a picture at its own size. The result has the caption, its numbers and times.
func (c *Context) Caption(ctx context.Context, in Input, options ...CheckOption) (*Result, error) {
	return c.one(ctx, options, func(k *call, out **C.item_result, e *C.item_error) (C.item_status, error) {
		image, err := k.decode(in)
		if err != nil {
			return 0, err
		}
		defer C.item_image_unref(image)
		return C.item_caption_image(k.ptr, image, &k.options, out, e), nil
	})
}

// Detect finds the objects that phrases name, in a picture at its own size.
func (c *Context) Detect(ctx context.Context, in Input, phrases []string, options ...CheckOption) (*Result, error) {
	if err := checkTexts("a phrase", phrases); err != nil {
		return nil, err
	}
	return c.one(ctx, options, func(k *call, out **C.item_result, e *C.item_error) (C.item_status, error) {
		image, err := k.decode(in)
		if err != nil {
			return 0, err
		}
		defer C.item_image_unref(image)
		return C.item_detect_image(k.ptr, image, k.texts(phrases, k.text), C.size_t(len(phrases)),
			&k.options, out, e), nil
	})
}

// EmbedImages gives the unit vectors of pictures, a row for each. One that fails fails the call.
func (c *Context) EmbedImages(ctx context.Context, in []Input) ([][]float32, error) {
	return c.embed(ctx, len(in), func(k *call, width int) (all []float32, err error) {
		for len(in) > 0 && err == nil {
			n := k.c.batch
			if n > len(in) {
				n = len(in)
			}
			var some []float32
			some, err = k.embedImages(in[:n], width)
			all, in = append(all, some...), in[n:]
		}
		return all, err
	})
}

func (k *call) embedImages(in []Input, width int) ([]float32, error) {
	var images []*C.item_image
	defer func() {
		for _, image := range images {
			C.item_image_unref(image)
		}
	}()
	for _, one := range in {
		image, err := k.decode(one)
		if err != nil {
			return nil, err
		}
		images = append(images, image)
	}
	out := make([]float32, len(in)*width)
	e := C.itemgo_error()
	status := C.item_embed_images(k.ptr, &images[0], C.size_t(len(images)), &k.options,
		(*C.float)(&out[0]), C.size_t(width), &e)
	return out, k.err(status, &e)
}

// EmbedTexts gives the unit vectors of texts, a row for each.
func (c *Context) EmbedTexts(ctx context.Context, texts []string) ([][]float32, error) {
	if err := checkTexts("a text", texts); err != nil {
		return nil, err
	}
	return c.embed(ctx, len(texts), func(k *call, width int) ([]float32, error) {
		out := make([]float32, len(texts)*width)
		e := C.itemgo_error()
		status := C.item_embed_texts(k.ptr, k.texts(texts, k.text), C.size_t(len(texts)), &k.options,
			(*C.float)(&out[0]), C.size_t(width), &e)
		return out, k.err(status, &e)
	})
}

// embed runs a call that gives n rows, one after the other.
func (c *Context) embed(ctx context.Context, n int,
	run func(*call, int) ([]float32, error)) ([][]float32, error) {
	k, err := c.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer k.end()
	width, err := k.width()
	if err != nil || n == 0 {
		return nil, err
	}
	all, err := run(k, width)
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = all[i*width : (i+1)*width : (i+1)*width]
	}
	return rows, nil
}

// width is that of the embedder's vectors; where the pack does not state it, opening tells it.
func (k *call) width() (int, error) {
	if width := factsOf(k.ptr).Width; width > 0 {
		return width, nil
	}
	e := C.itemgo_error()
	status := C.item_embed_layers(k.ptr, nil, 0, &k.options, nil, 0, nil, 0, &e)
	if width := factsOf(k.ptr).Width; width > 0 { // known even where it has no inner layers
		return width, nil
	}
	return 0, k.err(status, &e)
}

// Tokenize gives the ids of a text as the embedder reads it, special ones included.
func (c *Context) Tokenize(text string) ([]int32, error) {
	if err := checkText("a text", text); err != nil {
		return nil, err
	}
	ptr, err := c.acquire()
	if err != nil {
		return nil, err
	}
	defer c.release()
	var m memory
	defer m.free()
	copied := m.text(text)
	ids := make([]int32, 512)
	for {
		var n C.size_t
		e := C.itemgo_error()
		status := C.item_tokenize(ptr, copied, (*C.int32_t)(unsafe.Pointer(&ids[0])),
			C.size_t(len(ids)), &n, &e)
		if status != C.ITEM_OK {
			return nil, failure(status, &e)
		}
		if int(n) <= len(ids) {
			return ids[:n], nil
		}
		ids = make([]int32, n)
	}
}

// A Phrase is a noun phrase of a text: normalised, and the bytes of its first mention.
type Phrase struct {
	Text       string
	Start, End int
}

// Phrases finds the visible noun phrases of a text, in order of mention. It needs no context.
func Phrases(text string) ([]Phrase, error) {
	if err := checkText("a text", text); err != nil {
		return nil, err
	}
	var m memory
	defer m.free()
	var found *C.item_phrases
	e := C.itemgo_error()
	if status := C.item_phrases_find(m.text(text), &found, &e); status != C.ITEM_OK {
		return nil, failure(status, &e)
	}
	defer C.item_phrases_free(found)
	var phrases []Phrase
	for i := C.uint32_t(0); ; i++ {
		var start, end C.uint32_t
		phrase := C.item_phrases_get(found, i, &start, &end)
		if phrase == nil {
			return phrases, nil
		}
		phrases = append(phrases, Phrase{C.GoString(phrase), int(start), int(end)})
	}
}
