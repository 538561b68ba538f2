// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"io"
	"math"
	"unsafe"
)

// An Input is a picture that a call reads: a File, Bytes, what Reader and Picture make, or an Image
// that was decoded before. The limits of the Context hold for all of them.
type Input interface {
	// decode gives a picture to be released.
	decode(r *reading) (*C.item_image, error)
}

// reading is what decoding takes from a call.
type reading struct {
	ctx     context.Context
	options C.item_image_options
}

func (k *call) reading() *reading {
	r := &reading{ctx: k.ctx, options: k.c.limits}
	r.options.cancel = k.cancel
	return r
}

// decode reads an input of a caller, who may have given none.
func (k *call) decode(in Input) (*C.item_image, error) {
	if in == nil {
		return nil, refused("the input is nil")
	}
	return in.decode(k.reading())
}

// err is as watch.err.
func (r *reading) err(status C.item_status, e *C.item_error) error {
	return (&watch{ctx: r.ctx}).err(status, e)
}

// A File is the name of a picture file.
type File string

func (f File) check() error { return checkText("a file's name", string(f)) }

func (f File) decode(r *reading) (*C.item_image, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	var m memory
	defer m.free()
	var out *C.item_image
	e := C.itemgo_error()
	status := C.item_image_from_file(m.text(string(f)), &r.options, &out, &e)
	return out, r.err(status, &e)
}

// Bytes are the content of a picture file. They must not change while a call uses them.
type Bytes []byte

func (b Bytes) decode(r *reading) (*C.item_image, error) {
	size := len(b)
	if size == 0 {
		b = Bytes{0} // an empty file is broken, a NULL would be an argument
	}
	var out *C.item_image
	e := C.itemgo_error()
	// &b[0] stands in the call, where cgo sees bytes alone: what they are a part of may have pointers
	status := C.item_image_from_memory(unsafe.Pointer(&b[0]), C.size_t(size), &r.options, &out, &e)
	return out, r.err(status, &e)
}

type reader struct{ from io.Reader }

// Reader is a picture file that is read to its end, or to one byte beyond the context's
// max_file_bytes, which refuses it. A batch reads each when its turn comes.
func Reader(from io.Reader) Input {
	if from == nil {
		return nil
	}
	return reader{from}
}

func (in reader) decode(r *reading) (*C.item_image, error) {
	most := int64(r.options.max_file_bytes)
	var content bytes.Buffer
	_, err := content.ReadFrom(io.LimitReader(untilEnd{r.ctx, in.from}, most+1))
	if r.ctx.Err() != nil {
		return nil, cancelled(r.ctx)
	}
	if err != nil {
		return nil, &Error{Status: ErrIO, Message: "cannot read the picture: " + err.Error(), cause: err}
	}
	return Bytes(content.Bytes()).decode(r)
}

// untilEnd reads nothing more once a context has ended.
type untilEnd struct {
	ctx  context.Context
	from io.Reader
}

func (u untilEnd) Read(into []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.from.Read(into)
}

type picture struct{ of image.Image }

// Picture is a picture in Go's memory, upright and sRGB, which is copied. Transparency goes on white.
func Picture(of image.Image) Input {
	if of == nil {
		return nil
	}
	return picture{of}
}

func (in picture) decode(r *reading) (*C.item_image, error) {
	size := in.of.Bounds().Size()
	most := uint64(r.options.max_pixels)
	if size.X < 1 || size.Y < 1 {
		return nil, refused("the picture is empty")
	}
	if uint64(size.X) > most/uint64(size.Y) || uint64(size.X|size.Y) > math.MaxUint32 {
		// before it is copied; an image.Uniform has no end
		return nil, &Error{Status: ErrLimit, Message: fmt.Sprintf(
			"%d x %d pixels are more than max_pixels allows: %d", size.X, size.Y, most)}
	}
	pixels, format, stride := pixelsOf(in.of)
	if pixels == nil {
		return nil, refused("the picture has fewer pixels than its bounds say")
	}
	var out *C.item_image
	e := C.itemgo_error()
	status := C.item_image_from_pixels(unsafe.Pointer(&pixels[0]), format, C.uint32_t(size.X),
		C.uint32_t(size.Y), C.size_t(stride), &r.options, &out, &e)
	return out, r.err(status, &e)
}

// pixelsOf gives rows that libitem reads: those of the picture where it can, else converted ones; nil
// where the picture lacks some. Its members are the caller's, so nothing has compared them yet.
func pixelsOf(of image.Image) (pixels []byte, format C.int32_t, stride int) {
	switch p := of.(type) {
	case *image.NRGBA:
		return rowsOf(p.Pix, p.Stride, p.Rect, 4), C.ITEM_PIXELS_RGBA, p.Stride
	case *image.Gray:
		return rowsOf(p.Pix, p.Stride, p.Rect, 1), C.ITEM_PIXELS_GREY, p.Stride
	case *image.RGBA:
		if pixels := rowsOf(p.Pix, p.Stride, p.Rect, 4); pixels == nil || p.Opaque() {
			return pixels, C.ITEM_PIXELS_RGBA, p.Stride // premultiplied, which changes nothing then
		}
	}
	area := of.Bounds()
	if whole, is := of.(interface{ Opaque() bool }); is && whole.Opaque() {
		to := image.NewRGBA(area) // image/draw is quick here
		draw.Draw(to, area, of, area.Min, draw.Src)
		return to.Pix, C.ITEM_PIXELS_RGBA, to.Stride
	}
	to := image.NewNRGBA(area)
	draw.Draw(to, area, of, area.Min, draw.Src)
	return to.Pix, C.ITEM_PIXELS_RGBA, to.Stride
}

// rowsOf gives pixels that hold all rows of an area, or nil.
func rowsOf(pixels []byte, stride int, area image.Rectangle, channels int) []byte {
	row, rows := area.Dx()*channels, area.Dy()
	if stride < row || len(pixels) < row || (len(pixels)-row)/stride < rows-1 {
		return nil
	}
	return pixels
}
