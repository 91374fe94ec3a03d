package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_text_data
// #cgo nocallback bq_text_free
import "C"

import (
	"context"
	"unsafe"
)

// ask carries out what answers with a text of JSON, and reads it.
func ask[T any](
	ctx context.Context, q *Queue, do func(answer **C.bq_text, refused **C.bq_error) C.bq_status,
) (T, error) {
	var answer *C.bq_text
	err := q.call(ctx, func(refused **C.bq_error) C.bq_status { return do(&answer, refused) })
	if err != nil {
		var none T
		return none, err
	}
	return readText[T](answer)
}

// readText reads a text of the library, and frees it.
func readText[T any](text *C.bq_text) (T, error) {
	defer C.bq_text_free(text)
	var length C.size_t
	start := C.bq_text_data(text, &length)
	return decodeAnswer[T](unsafe.Slice((*byte)(unsafe.Pointer(start)), int(length)))
}

// Page says which part of a list is wanted. Zero means the first 100.
type Page struct {
	// At most this many items, up to 1,000.
	Limit int
	// Where the page before ended: its Next.
	After string
}

// Listed is a part of a list.
type Listed[T any] struct {
	// The items, in order.
	Items []T
	// Where the next page begins; empty if this is the last.
	Next string
}

// pages is every item of a list, page by page. It ends with the first error.
func pages[T any](page func(Page) (Listed[T], error)) func(yield func(T, error) bool) {
	return func(yield func(T, error) bool) {
		at := Page{Limit: pageMax}
		for {
			listed, err := page(at)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range listed.Items {
				if !yield(item, nil) {
					return
				}
			}
			if listed.Next == "" {
				return
			}
			at.After = listed.Next
		}
	}
}

// pageMax is as many items as a page can have.
const pageMax = 1000

func (p *Page) given() Page {
	if p == nil {
		return Page{}
	}
	return *p
}
