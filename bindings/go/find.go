// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"context"
	"runtime"
	"time"
)

// A State is what an index knows of a picture; of several, joined by |, a Query finds each.
type State int32

// The states.
const (
	StateAnswered State = C.ITEM_STATE_ANSWERED // there is an answer
	StateStale    State = C.ITEM_STATE_STALE    // it is of other settings than the last scan's
	StateFailed   State = C.ITEM_STATE_FAILED   // the picture could not be read or checked
	StateMissing  State = C.ITEM_STATE_MISSING  // the file was gone at the last scan; the answer is kept
)

// String is a word: "missing", "failed", "stale" or "answered", the first that holds.
func (s State) String() string {
	switch {
	case s&StateMissing != 0:
		return "missing"
	case s&StateFailed != 0:
		return "failed"
	case s&StateStale != 0:
		return "stale"
	}
	return "answered"
}

// An Order is that of the rows.
type Order int32

// The orders.
const (
	OrderPath        Order = C.ITEM_ORDER_PATH        // by name, byte by byte
	OrderProbability Order = C.ITEM_ORDER_PROBABILITY // most probably AI-generated first
	OrderDate        Order = C.ITEM_ORDER_DATE        // newest first
)

// A Query says what to look for; all that is set must hold. The zero value finds every answered
// picture that is there, by name.
type Query struct {
	States       State     // 0: StateAnswered | StateStale
	Verdicts     []Verdict // any of these
	Claims       []Claim   // the file says one of these of its own origin, unverified
	Least, Most  float64   // probabilities from, up to; 0: any
	Caption      string    // words that it has, in any order and any English form; surf* as well
	Object       string    // the same of the objects that were found
	Folder       string    // only what lies below it
	Since, Until time.Time // taken then or later, and before; EXIF's time is taken for UTC; zero: any
	Order        Order
	Limit        int // rows at most; 0: all
}

// wanted is the query as C has it, with its texts in m.
func (q Query) wanted(m *memory) (C.item_index_query, error) {
	to := C.itemgo_index_query()
	if err := checkTexts("a query's text", []string{q.Caption, q.Object, q.Folder}); err != nil {
		return to, err
	}
	if q.Limit < 0 {
		return to, refused("a query's limit must be 0 or above")
	}
	if q.States != 0 {
		to.states = C.uint32_t(q.States)
	}
	for _, verdict := range q.Verdicts {
		to.verdicts |= 1 << (uint32(verdict) & 31)
	}
	for _, claim := range q.Claims {
		to.claims |= 1 << (uint32(claim) & 31)
	}
	if q.Least != 0 {
		to.least = C.double(q.Least)
	}
	if q.Most != 0 {
		to.most = C.double(q.Most)
	}
	if !q.Since.IsZero() {
		to.since = C.int64_t(q.Since.Unix())
	}
	if !q.Until.IsZero() {
		to.until = C.int64_t(q.Until.Unix())
	}
	to.caption, to.object, to.folder = m.optional(q.Caption), m.optional(q.Object), m.optional(q.Folder)
	to.order, to.limit = C.uint32_t(q.Order), C.uint64_t(q.Limit)
	return to, nil
}

// A Row is a picture of an index. What does not exist is NaN, "" or 0.
type Row struct {
	Path  string // absolute
	State State
	Err   error // why there is no answer

	Verdict       Verdict
	Probability   float64
	Reason        string // its code, such as "weak_evidence"
	Caption       string
	Width, Height int       // of the upright picture, pixels
	Taken         time.Time // by EXIF, the camera's clock taken for UTC; else Modified
	Modified      time.Time
	Bytes         int64
	SHA256        string  // of the file, hexadecimal
	Claims        []Claim // that the file makes of its origin
	JSON          string  // the line of libitem: docs/json.md
}

func newRow(from *C.item_index_row) Row {
	row := Row{
		Path: C.GoString(from.path), State: State(from.state),
		Verdict: Verdict(from.verdict), Probability: float64(from.probability),
		Reason: C.GoString(from.reason), Caption: C.GoString(from.caption),
		Width: int(from.width), Height: int(from.height),
		Taken:    time.Unix(int64(from.taken), 0).UTC(),
		Modified: time.Unix(int64(from.modified), 0).UTC(),
		Bytes:    int64(from.bytes), SHA256: C.GoString(from.sha256), JSON: C.GoString(from.json),
	}
	if from.error != C.ITEM_OK {
		row.Err = &Error{Status: Status(from.error), Message: C.GoString(from.message)}
	}
	for claim := ClaimNone; claim <= ClaimCapture; claim++ {
		if from.claims>>uint32(claim)&1 != 0 {
			row.Claims = append(row.Claims, claim)
		}
	}
	return row
}

// Rows are what a Query found: those of one moment, but for what the same Index
// imports meanwhile. One goroutine at a time.
//
//	rows, err := index.Find(item.Query{Object: "dog"})
//	if err != nil {
//		return err
//	}
//	defer rows.Close()
//	for rows.Next() {
//		fmt.Println(rows.Row().Path)
//	}
//	return rows.Err()
type Rows struct {
	index *Index
	ptr   *C.item_index_rows // nil: no more
	row   Row
	err   error
}

// Find looks for pictures.
func (x *Index) Find(query Query) (*Rows, error) {
	var m memory
	defer m.free()
	wanted, err := query.wanted(&m)
	if err != nil {
		return nil, err
	}
	r := &Rows{index: x}
	err = x.use(context.Background(), func(e *C.item_error) C.item_status {
		status := C.item_index_find(x.ptr, &wanted, &r.ptr, e)
		if status == C.ITEM_OK {
			x.keep(r.ptr)
		}
		return status
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(r, func(r *Rows) { r.Close() })
	return r, nil
}

// keep remembers rows, which the index frees if nobody else does.
func (x *Index) keep(rows *C.item_index_rows) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rows[rows] = true
}

// Next goes to the next row. It tells whether there is one: none is left, or Err says why not.
func (r *Rows) Next() bool {
	if r.ptr == nil {
		return false
	}
	found := C.itemgo_index_row()
	r.err = r.index.use(context.Background(), func(e *C.item_error) C.item_status {
		status := C.item_index_next(r.ptr, &found, e)
		if status == C.ITEM_OK && found.path != nil {
			r.row = newRow(&found)
		}
		return status
	})
	if r.err != nil || found.path == nil {
		r.Close()
		return false
	}
	return true
}

// Row is the row that Next went to.
func (r *Rows) Row() Row { return r.row }

// Err is why Next found no more; nil: there were none.
func (r *Rows) Err() error { return r.err }

// Close lets go of what was not read, as Next does behind the last row. It returns nil.
func (r *Rows) Close() error {
	if r.ptr == nil {
		return nil
	}
	runtime.SetFinalizer(r, nil)
	r.index.drop(r.ptr)
	r.ptr = nil
	return nil
}
