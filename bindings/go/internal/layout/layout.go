// SPDX-License-Identifier: Apache-2.0

// Package layout is what cgo makes of the public structs, for tests: files of tests may not use cgo.
package layout

// #cgo pkg-config: item
// #include <stdlib.h>
// #include <string.h>
// #include "../../item_go.h"
import "C"

import (
	"reflect"
	"unsafe"
)

// Structs are those that package item uses.
func Structs() map[string]reflect.Type {
	return map[string]reflect.Type{
		"item_error":            reflect.TypeOf(C.item_error{}),
		"item_ctx_info":         reflect.TypeOf(C.item_ctx_info{}),
		"item_engine_settings":  reflect.TypeOf(C.item_engine_settings{}),
		"item_engine_info":      reflect.TypeOf(C.item_engine_info{}),
		"item_image_options":    reflect.TypeOf(C.item_image_options{}),
		"item_image_info":       reflect.TypeOf(C.item_image_info{}),
		"item_check_options":    reflect.TypeOf(C.item_check_options{}),
		"item_result_summary":   reflect.TypeOf(C.item_result_summary{}),
		"item_object":           reflect.TypeOf(C.item_object{}),
		"item_timings":          reflect.TypeOf(C.item_timings{}),
		"item_provenance_entry": reflect.TypeOf(C.item_provenance_entry{}),
		"item_dataset_info":     reflect.TypeOf(C.item_dataset_info{}),
		"item_extract_options":  reflect.TypeOf(C.item_extract_options{}),
		"item_train_options":    reflect.TypeOf(C.item_train_options{}),
		"item_eval_options":     reflect.TypeOf(C.item_eval_options{}),
		"item_scan_options":     reflect.TypeOf(C.item_scan_options{}),
		"item_scan_counts":      reflect.TypeOf(C.item_scan_counts{}),
		"item_index_query":      reflect.TypeOf(C.item_index_query{}),
		"item_index_row":        reflect.TypeOf(C.item_index_row{}),
		"item_page_options":     reflect.TypeOf(C.item_page_options{}),
	}
}

// Sizes are those that the start values of item_go.h say.
func Sizes() map[string]uint32 {
	return map[string]uint32{
		"item_error":            uint32(C.itemgo_error().struct_size),
		"item_ctx_info":         uint32(C.itemgo_ctx_info().struct_size),
		"item_engine_settings":  uint32(C.itemgo_engine_settings().struct_size),
		"item_engine_info":      uint32(C.itemgo_engine_info().struct_size),
		"item_image_options":    uint32(C.itemgo_image_options().struct_size),
		"item_image_info":       uint32(C.itemgo_image_info().struct_size),
		"item_check_options":    uint32(C.itemgo_check_options().struct_size),
		"item_result_summary":   uint32(C.itemgo_result_summary().struct_size),
		"item_object":           uint32(C.itemgo_object().struct_size),
		"item_timings":          uint32(C.itemgo_timings().struct_size),
		"item_provenance_entry": uint32(C.itemgo_provenance_entry().struct_size),
		"item_dataset_info":     uint32(C.itemgo_dataset_info().struct_size),
		"item_extract_options":  uint32(C.itemgo_extract_options().struct_size),
		"item_train_options":    uint32(C.itemgo_train_options().struct_size),
		"item_eval_options":     uint32(C.itemgo_eval_options().struct_size),
		"item_scan_options":     uint32(C.itemgo_scan_options().struct_size),
		"item_scan_counts":      uint32(C.itemgo_scan_counts().struct_size),
		"item_index_query":      uint32(C.itemgo_index_query().struct_size),
		"item_index_row":        uint32(C.itemgo_index_row().struct_size),
		"item_page_options":     uint32(C.itemgo_page_options().struct_size),
	}
}

// A Context is one that is asked with structs of other sizes.
type Context struct{ ptr *C.item_ctx }

// Open opens the installed pack.
func Open() (Context, string) {
	var c Context
	e := C.itemgo_error()
	C.item_ctx_open(nil, nil, &c.ptr, &e)
	return c, C.GoString(&e.message[0])
}

// Close releases it.
func (c Context) Close() { C.item_ctx_unref(c.ptr) }

// Info asks for item_ctx_info in a block of this size, whose bytes are all `fill` before. It gives the
// status and the block.
func (c Context) Info(size uintptr, fill byte) (int32, []byte) {
	block := C.malloc(C.size_t(size))
	defer C.free(block)
	C.memset(block, C.int(fill), C.size_t(size))
	*(*uint32)(block) = uint32(size)
	status := C.item_ctx_get_info(c.ptr, (*C.item_ctx_info)(block), nil)
	return int32(status), C.GoBytes(block, C.int(size))
}

// Check checks no picture, with item_check_options of this size: known bytes as they start, `fill` in
// those beyond. It gives the status and the message, in an item_error of this release.
func (c Context) Check(size uintptr, fill byte) (int32, string) {
	block := C.malloc(C.size_t(size))
	defer C.free(block)
	C.memset(block, C.int(fill), C.size_t(size))
	start := C.itemgo_check_options()
	known := unsafe.Sizeof(start)
	if known > size {
		known = size
	}
	C.memcpy(block, unsafe.Pointer(&start), C.size_t(known))
	*(*uint32)(block) = uint32(size)
	e := C.itemgo_error()
	status := C.item_check_files(c.ptr, nil, 0, (*C.item_check_options)(block), nil, &e)
	return int32(status), C.GoString(&e.message[0])
}

// CheckFile checks a picture as a program in C does.
func (c Context) CheckFile(path string) (int32, string) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var result *C.item_result
	e := C.itemgo_error()
	status := C.item_check_file(c.ptr, name, nil, &result, &e)
	C.item_result_unref(result)
	return int32(status), C.GoString(&e.message[0])
}
