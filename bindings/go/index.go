// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// An IndexFlag says how OpenIndex opens.
type IndexFlag int32

// IndexCreate makes the file if it is not there, and opens it for writing, as Scan and Import need.
const IndexCreate IndexFlag = C.ITEM_INDEX_CREATE

// An Index is a file that keeps the answers of whole folders: docs/folders.md. Any number of
// goroutines may have it; one at a time uses it, and the others wait. Open the file twice to ask
// while a scan runs.
type Index struct {
	turn chan struct{} // who is in it uses the index
	mu   sync.Mutex    // of what follows
	ptr  *C.item_index
	// Nothing is freed while somebody uses the index or waits to.
	users   int
	closed  bool
	rows    map[*C.item_index_rows]bool
	dropped []*C.item_index_rows
}

// OpenIndex opens an index; flags is IndexCreate or 0. A file of another program is ErrFormat, and
// not touched.
func OpenIndex(path string, flags IndexFlag) (*Index, error) {
	if err := checkText("a file's name", path); err != nil {
		return nil, err
	}
	var m memory
	defer m.free()
	x := &Index{turn: make(chan struct{}, 1), rows: map[*C.item_index_rows]bool{}}
	e := C.itemgo_error()
	status := C.item_index_open(m.text(path), C.uint32_t(flags), &x.ptr, &e)
	if status != C.ITEM_OK {
		return nil, failure(status, &e)
	}
	runtime.SetFinalizer(x, func(x *Index) { x.Close() })
	return x, nil
}

// Close closes the index and its rows, once the calls that use it have ended. It returns nil.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ptr == nil {
		return nil
	}
	x.closed = true
	runtime.SetFinalizer(x, nil)
	x.tidy()
	return nil
}

// tidy frees what nobody has any more; rows before their index.
func (x *Index) tidy() {
	if x.users > 0 {
		return // the last of them does it
	}
	for _, rows := range x.dropped {
		x.free(rows)
	}
	x.dropped = nil
	if x.closed && x.ptr != nil {
		for rows := range x.rows {
			x.free(rows)
		}
		C.item_index_free(x.ptr)
		x.ptr = nil
	}
}

func (x *Index) free(rows *C.item_index_rows) {
	if x.rows[rows] {
		delete(x.rows, rows)
		C.item_index_rows_free(rows)
	}
}

// drop frees rows when nobody uses the index.
func (x *Index) drop(rows *C.item_index_rows) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dropped = append(x.dropped, rows)
	x.tidy()
}

func (x *Index) acquire() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || x.ptr == nil {
		return ErrClosed
	}
	x.users++
	return nil
}

func (x *Index) release() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.users--
	x.tidy()
}

// use runs a call when it has its turn.
func (x *Index) use(ctx context.Context, run func(*C.item_error) C.item_status) error {
	if err := x.acquire(); err != nil {
		return err
	}
	defer x.release()
	select {
	case x.turn <- struct{}{}:
	case <-ctx.Done():
		return cancelled(ctx)
	}
	defer func() { <-x.turn }()
	e := C.itemgo_error()
	return (&watch{ctx: ctx}).err(run(&e), &e)
}

// ScanOptions are settings of Scan. Its functions are called by the goroutine of the scan, and must
// not use the index but to close it.
type ScanOptions struct {
	Hash     bool                         // read every file, whatever its size and time say
	Progress func(done, total uint64)     // files that are new or have changed
	Trouble  func(path string, err error) // a file or folder that could not be answered
}

// ScanCounts are what a scan met. A file counts once in Unchanged, Answered, Copies, Failed and Other.
type ScanCounts struct {
	Unchanged  int // answered before, and the answer holds
	Answered   int // checked now
	Copies     int // the same bytes as another file: took its answer
	Moved      int // of these: had another name before, which is gone
	Failed     int // pictures that could not be read or checked
	Other      int // files that are no pictures
	Missing    int // answered before, and gone now
	Unreadable int // folders that could not be read; what is known below them stays
}

// Scan brings the index up to date with folders and files; without any, with all that were scanned
// before. What has not changed is not checked again, and files that fail are counted. The counts are
// those until then where it fails; a scan that was cancelled or killed is gone on with by the next one.
func (x *Index) Scan(ctx context.Context, c *Context, folders []string, options ScanOptions) (ScanCounts, error) {
	if err := checkTexts("a folder's name", folders); err != nil {
		return ScanCounts{}, err
	}
	k, err := c.begin(ctx, []CheckOption{Progress(options.Progress)})
	if err != nil {
		return ScanCounts{}, err
	}
	defer k.end()
	how, counts := k.scanOptions(options), C.itemgo_scan_counts()
	names := k.texts(folders, k.text)
	err = x.use(ctx, func(e *C.item_error) C.item_status {
		return C.item_index_scan(x.ptr, k.ptr, names, C.size_t(len(folders)), &how, &counts, e)
	})
	return ScanCounts{
		Unchanged: int(counts.unchanged), Answered: int(counts.answered), Copies: int(counts.copies),
		Moved: int(counts.moved), Failed: int(counts.failed), Other: int(counts.other),
		Missing: int(counts.missing), Unreadable: int(counts.unreadable),
	}, err
}

func (k *call) scanOptions(options ScanOptions) C.item_scan_options {
	how := C.itemgo_scan_options()
	how.cancel, how.progress = k.cancel, k.options.progress
	if options.Hash {
		how.flags = C.ITEM_SCAN_HASH
	}
	if options.Trouble != nil {
		how.trouble = C.itemgo_scan_trouble()
	}
	k.progress.trouble, k.progress.cancel = options.Trouble, k.cancel
	how.user = k.user(&k.progress)
	return how
}

const importedAtOnce = 1000 // rows that are taken or refused together

// Import brings in answers that were given elsewhere, a JSON object a line, as item_index_import()
// takes them, and tells how many. A thousand at a time are taken or refused.
func (x *Index) Import(ctx context.Context, from io.Reader) (int, error) {
	if ctx == nil || from == nil {
		return 0, refused("the context.Context or the reader is nil")
	}
	lines := bufio.NewReader(untilEnd{ctx, from})
	for done := 0; ; {
		rows, ended := readRows(lines)
		if ctx.Err() != nil {
			return done, cancelled(ctx)
		}
		if ended != nil && ended != io.EOF {
			return done, &Error{Status: ErrIO, Message: "cannot read the rows: " + ended.Error(), cause: ended}
		}
		if err := x.importRows(ctx, rows); err != nil {
			var failed *Error
			if done > 0 && errors.As(err, &failed) {
				failed.Message = fmt.Sprintf("after row %d: %s", done, failed.Message)
			}
			return done, err
		}
		done += len(rows)
		if ended != nil {
			return done, nil
		}
	}
}

// readRows gives the next lines, and why there are no more: nil, io.EOF or an error.
func readRows(lines *bufio.Reader) (rows []string, ended error) {
	for len(rows) < importedAtOnce && ended == nil {
		var row string
		if row, ended = lines.ReadString('\n'); row != "" {
			rows = append(rows, row)
		}
	}
	return rows, ended
}

func (x *Index) importRows(ctx context.Context, rows []string) error {
	if err := checkTexts("a row", rows); err != nil {
		return err
	}
	var m memory
	defer m.free()
	texts := m.texts(rows, m.text)
	return x.use(ctx, func(e *C.item_error) C.item_status {
		return C.item_index_import(x.ptr, texts, C.size_t(len(rows)), e)
	})
}

// PageOptions are settings of WriteHTML.
type PageOptions struct {
	Title    string // "": "Pictures"
	Progress func(done, total uint64)
}

// WriteHTML writes what a query finds as one web page that loads nothing; the file appears whole or
// not at all.
func (x *Index) WriteHTML(ctx context.Context, path string, query Query, options PageOptions) error {
	if err := checkTexts("a text", []string{path, options.Title}); err != nil {
		return err
	}
	k, err := without(ctx, options.Progress)
	if err != nil {
		return err
	}
	defer k.end()
	wanted, err := query.wanted(&k.memory)
	if err != nil {
		return err
	}
	how := C.itemgo_page_options()
	how.title, how.cancel = k.optional(options.Title), k.cancel
	how.progress, how.progress_user = k.options.progress, k.options.progress_user
	name := k.text(path)
	return x.use(ctx, func(e *C.item_error) C.item_status {
		return C.item_index_write_html(x.ptr, &wanted, &how, name, e)
	})
}
