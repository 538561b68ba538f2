// SPDX-License-Identifier: Apache-2.0

package item

// #include <stdlib.h>
// #include "item_go.h"
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// memory is what a call of libitem reads while it runs, in C's memory: structs that libitem gets
// may not point to pointers of Go's.
type memory struct {
	blocks  []unsafe.Pointer
	handles []cgo.Handle
}

func (m *memory) free() {
	for _, block := range m.blocks {
		C.free(block)
	}
	for _, handle := range m.handles {
		handle.Delete()
	}
	m.blocks, m.handles = nil, nil
}

// text copies a text; the caller has looked for zero bytes.
func (m *memory) text(text string) *C.char {
	copied := C.CString(text)
	m.blocks = append(m.blocks, unsafe.Pointer(copied))
	return copied
}

// optional is text, with NULL for "".
func (m *memory) optional(text string) *C.char {
	if text == "" {
		return nil
	}
	return m.text(text)
}

// texts makes an array of texts, each copied by text or optional; NULL without any.
func (m *memory) texts(texts []string, copied func(string) *C.char) **C.char {
	if len(texts) == 0 {
		return nil
	}
	block := C.calloc(C.size_t(len(texts)), C.size_t(unsafe.Sizeof((*C.char)(nil))))
	m.blocks = append(m.blocks, block)
	array := unsafe.Slice((**C.char)(block), len(texts))
	for i := range array {
		array[i] = copied(texts[i])
	}
	return (**C.char)(block)
}

// user makes what a callback of C carries to find a value of Go again: the address of its handle. A
// handle is a small number, which may not stand in a pointer of Go's.
func (m *memory) user(value any) unsafe.Pointer {
	handle := cgo.NewHandle(value)
	cell := C.malloc(C.size_t(unsafe.Sizeof(handle)))
	*(*cgo.Handle)(cell) = handle
	m.handles = append(m.handles, handle)
	m.blocks = append(m.blocks, cell)
	return cell
}

// userValue is what user was given.
func userValue(cell unsafe.Pointer) any {
	return (*(*cgo.Handle)(cell)).Value()
}
