package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_transaction_execute
// #cgo nocallback bq_transaction_query
import "C"

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"runtime"
	"unsafe"
)

// Rows are the answer of a statement. A value is nil, an int64, a float64, a string or bytes.
type Rows struct {
	Columns []string
	Rows    [][]any
}

// Execute runs one statement; it answers how many rows it changed. Values are nil, whole numbers, numbers with a
// fraction, bool (as 0 or 1), string or []byte.
//
// It may use any table but the queue's own, and the views of docs/sql.md. It may not begin or end transactions, use
// savepoints, pragmas, other files or temporary objects.
func (t *Transaction) Execute(ctx context.Context, sql string, values ...any) (int64, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given, err := sqlValues(&pinner, values)
	if err != nil {
		return 0, err
	}
	var changed C.uint64_t
	err = t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_execute(
			t.handle, chars(sql), length(sql), &given[0], C.size_t(len(values)), &changed, refused)
	})
	return int64(changed), err
}

// Query runs one statement; it answers its rows, at most 100,000 and 64 MiB of them. Otherwise it is as
// [Transaction.Execute].
func (t *Transaction) Query(ctx context.Context, sql string, values ...any) (Rows, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given, err := sqlValues(&pinner, values)
	if err != nil {
		return Rows{}, err
	}
	var answer *C.bq_text
	err = t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_query(
			t.handle, chars(sql), length(sql), &given[0], C.size_t(len(values)), &answer, refused)
	})
	if err != nil {
		return Rows{}, err
	}
	found, err := readText[foundRows](answer)
	if err != nil {
		return Rows{}, err
	}
	return found.rows(), nil
}

// sqlValues has one more, so that the first is there. What they point to is pinned.
func sqlValues(pinner *runtime.Pinner, values []any) ([]C.bq_value, error) {
	given := make([]C.bq_value, len(values)+1)
	for at, value := range values {
		one, err := sqlValue(pinner, value)
		if err != nil {
			return nil, err
		}
		given[at] = one
	}
	return given, nil
}

func sqlValue(pinner *runtime.Pinner, value any) (C.bq_value, error) {
	none := C.bq_value{kind: C.BQ_VALUE_NULL}
	switch value := value.(type) {
	case nil:
		return none, nil
	case []byte:
		return C.bq_value{kind: C.BQ_VALUE_BLOB, bytes: pinned(pinner, unsafe.String(unsafe.SliceData(value), len(value)))}, nil
	}
	switch kind := reflect.ValueOf(value); kind.Kind() {
	case reflect.String:
		return C.bq_value{kind: C.BQ_VALUE_TEXT, bytes: pinned(pinner, kind.String())}, nil
	case reflect.Bool:
		var number C.int64_t
		if kind.Bool() {
			number = 1
		}
		return C.bq_value{kind: C.BQ_VALUE_INTEGER, integer: number}, nil
	case reflect.Float32, reflect.Float64:
		return C.bq_value{kind: C.BQ_VALUE_REAL, real: C.double(kind.Float())}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return C.bq_value{kind: C.BQ_VALUE_INTEGER, integer: C.int64_t(kind.Int())}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if kind.Uint() > math.MaxInt64 {
			return none, invalid("%d is larger than a number of SQLite", kind.Uint())
		}
		return C.bq_value{kind: C.BQ_VALUE_INTEGER, integer: C.int64_t(kind.Uint())}, nil
	default:
		return none, invalid("%T is no value for a statement", value)
	}
}

type foundRows struct {
	Columns []string
	Rows    [][]foundValue
}

type foundValue struct{ value any }

func (f foundRows) rows() Rows {
	out := Rows{Columns: f.Columns, Rows: make([][]any, len(f.Rows))}
	for at, row := range f.Rows {
		out.Rows[at] = make([]any, len(row))
		for column := range row {
			out.Rows[at][column] = row[column].value
		}
	}
	return out
}

// wireIn takes all there is.
func (f *foundValue) wireIn(found any) any {
	switch found := found.(type) {
	case json.Number:
		if whole, err := found.Int64(); err == nil {
			f.value = whole
		} else {
			f.value, _ = found.Float64()
		}
	case map[string]any:
		text, _ := found["base64"].(string)
		f.value, _ = base64.StdEncoding.DecodeString(text)
	default:
		f.value = found
	}
	return nil
}
