package blockqueue

// #include "blockqueue.h"
//
// #cgo noescape bq_error_detail
// #cgo nocallback bq_error_detail
// #cgo nocallback bq_error_index
// #cgo nocallback bq_error_free
import "C"

import "fmt"

// Error is why the queue refused something.
//
//	if errors.Is(err, blockqueue.ErrLeaseLost) { … }
//
//	var failure *blockqueue.Error
//	if errors.As(err, &failure) && failure.Code.Retry() == blockqueue.RetryLater { … }
type Error struct {
	// What it is, for programs.
	Code Code
	// What it is, for people: names of topics and subscribers, never payloads.
	Detail string
	// Which message of the batch was refused, from 0, for [ErrIdempotencyConflict] and [ErrUniqueConflict]; else
	// -1.
	Index int
}

// Error is the detail, and the code behind it.
func (e *Error) Error() string { return fmt.Sprintf("blockqueue: %s (%s)", e.Detail, e.Code) }

// Unwrap is the code, for [errors.Is].
func (e *Error) Unwrap() error { return e.Code }

// invalid is what the package itself refuses.
func invalid(format string, values ...any) error {
	return &Error{Code: ErrInvalidArgument, Detail: fmt.Sprintf(format, values...), Index: -1}
}

// failure makes a Go error of what a function of the library returned, and frees the library's.
func failure(status C.bq_status, object *C.bq_error) error {
	if status == 0 {
		return nil
	}
	out := &Error{Code: Code(status), Index: -1}
	if object != nil {
		var length C.size_t
		detail := C.bq_error_detail(object, &length)
		out.Detail = C.GoStringN(detail, C.int(length))
		out.Index = int(C.bq_error_index(object))
		C.bq_error_free(object)
	}
	if out.Detail == "" {
		out.Detail = out.Code.String()
	}
	return out
}
