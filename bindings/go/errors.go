// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import (
	"context"
	"errors"
	"strings"
	"syscall"
)

// A Status says what kind of failure an Error is. It is an error itself, so that
// errors.Is(err, item.ErrFormat) tells it. Later releases of libitem may add others.
type Status int32

// The statuses of libitem; docs/errors.md has causes and cures.
const (
	ErrArgument    Status = C.ITEM_E_ARGUMENT    // a value that libitem does not take
	ErrMemory      Status = C.ITEM_E_MEMORY      // an allocation failed
	ErrIO          Status = C.ITEM_E_IO          // the system refused: open, read, write
	ErrFormat      Status = C.ITEM_E_FORMAT      // the bytes are broken or not what they claim
	ErrUnsupported Status = C.ITEM_E_UNSUPPORTED // valid, but of a kind that libitem does not read
	ErrLimit       Status = C.ITEM_E_LIMIT       // larger than a limit of the context
	ErrCancelled   Status = C.ITEM_E_CANCELLED   // the call's context.Context ended
	ErrBackend     Status = C.ITEM_E_BACKEND     // an engine or backend failed
	ErrNoEngine    Status = C.ITEM_E_NO_ENGINE   // networks are needed and no engine was found
	ErrPack        Status = C.ITEM_E_PACK        // the pack is incomplete, changed or too new
	ErrMismatch    Status = C.ITEM_E_MISMATCH    // head, layout or width do not fit the embedder
	ErrForked      Status = C.ITEM_E_FORKED      // called in a forked child
	ErrInternal    Status = C.ITEM_E_INTERNAL    // a bug of libitem
)

// ErrClosed is what a closed Context, Image, Dataset, Report or Index answers.
var ErrClosed = errors.New("item: it is closed")

// Error is the name of the status, such as "ITEM_E_FORMAT".
func (s Status) Error() string {
	return C.GoString(C.item_status_name(C.item_status(s)))
}

// An Error is a call of libitem that failed.
type Error struct {
	Status  Status
	System  syscall.Errno // what the system said, or 0
	Message string        // one line: what failed, which file, why
	cause   error
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Is tells whether target is the status of the error.
func (e *Error) Is(target error) bool {
	status, is := target.(Status)
	return is && status == e.Status
}

// Unwrap gives what lies behind: the context's error of a cancelled call, the reader's of a picture
// that could not be read, or the system's, so that errors.Is(err, fs.ErrNotExist) works.
func (e *Error) Unwrap() error {
	if e.cause == nil && e.System != 0 {
		return e.System
	}
	return e.cause
}

// failure is what a call left in its item_error.
func failure(status C.item_status, e *C.item_error) *Error {
	return &Error{Status: Status(status), System: syscall.Errno(e.system),
		Message: C.GoString(&e.message[0])}
}

// cancelled is the error of a call whose context ended before it began.
func cancelled(ctx context.Context) *Error {
	return &Error{Status: ErrCancelled, Message: "cancelled", cause: ctx.Err()}
}

func refused(message string) *Error {
	return &Error{Status: ErrArgument, Message: message}
}

// A text for C ends at its first zero byte: one that has another is refused, not cut.
func checkText(what, text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return refused(what + " has a zero byte in it")
	}
	return nil
}

func checkTexts(what string, texts []string) error {
	for _, text := range texts {
		if err := checkText(what, text); err != nil {
			return err
		}
	}
	return nil
}
