package blockqueue

// #include "blockqueue.h"
//
// #cgo noescape bq_id_text
// #cgo nocallback bq_id_text
// #cgo nocallback bq_id_parse
// #cgo noescape bq_receipt_text
// #cgo nocallback bq_receipt_text
// #cgo nocallback bq_receipt_parse
import "C"

import "unsafe"

// ID is the id of a message: a UUID that sorts by the time of publishing.
type ID [16]byte

// ParseID reads the text of an id.
func ParseID(text string) (ID, error) {
	var id C.bq_id
	var refused *C.bq_error
	status := C.bq_id_parse(chars(text), length(text), &id, &refused)
	return ID(*(*[16]byte)(unsafe.Pointer(&id))), failure(status, refused)
}

func (id *ID) c() *C.bq_id { return (*C.bq_id)(unsafe.Pointer(id)) }

// String is the id as text, such as 01908e5f-7c3a-8000-8000-0123456789ab.
func (id ID) String() string {
	var buffer [37]byte
	C.bq_id_text(id.c(), (*C.char)(unsafe.Pointer(&buffer)), nil)
	return string(buffer[:36])
}

// MarshalText is the id as text, for JSON and its like.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the text of an id.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// Receipt is the token of one lease: whoever holds it may settle the delivery. It may be stored, and used by another
// process and another language, as text.
type Receipt [52]byte

// ParseReceipt reads the text of a receipt.
func ParseReceipt(text string) (Receipt, error) {
	var receipt C.bq_receipt
	var refused *C.bq_error
	status := C.bq_receipt_parse(chars(text), length(text), &receipt, &refused)
	return Receipt(*(*[52]byte)(unsafe.Pointer(&receipt))), failure(status, refused)
}

func (r *Receipt) c() *C.bq_receipt { return (*C.bq_receipt)(unsafe.Pointer(r)) }

// String is the receipt as text: up to 130 characters that may stand in a URL; empty for one that never was.
func (r Receipt) String() string {
	var buffer [131]byte
	var length C.size_t
	C.bq_receipt_text(r.c(), (*C.char)(unsafe.Pointer(&buffer)), C.size_t(len(buffer)), &length, nil)
	return string(buffer[:length])
}

// MarshalText is the receipt as text, for JSON and its like.
func (r Receipt) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text of a receipt.
func (r *Receipt) UnmarshalText(text []byte) (err error) {
	*r, err = ParseReceipt(string(text))
	return err
}
