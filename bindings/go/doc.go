// SPDX-License-Identifier: Apache-2.0

// Package item tells AI-generated pictures from photographs, by the C library libitem.
//
//	checker, err := item.Open("") // the installed pack
//	if err != nil {
//		return err
//	}
//	defer checker.Close()
//	result, err := checker.Check(ctx, item.File("photo.jpg"))
//
// A Context is opened once and serves any number of goroutines. Calls take a context.Context; one
// that ends lets the call return within 200 ms with an error that is ErrCancelled and the context's
// own. Errors carry the status of libitem: compare them by errors.Is with ErrFormat and the others.
//
// Each call that runs holds a thread of the system. The engine computes on few threads of its own,
// so bound how many calls run at once, as the example service does.
//
// Nothing of Go's memory is kept by libitem, and a Result is plain Go: it needs no closing. What has
// a Close method may be closed twice, and while calls run that use it: these end as usual, and later
// ones return ErrClosed. What is forgotten is closed by the garbage collector at some time.
package item

// #cgo pkg-config: item
import "C"
