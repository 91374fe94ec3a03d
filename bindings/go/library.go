package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_version
// #cgo nocallback bq_limits
import "C"

// Version is the release of the native library, such as 0.1.0.
func Version() string { return C.GoString(C.bq_version()) }

// Limits are the bounds of the queue by their names, such as payload_bytes_max. Those of durations are in milliseconds.
func Limits() map[string]float64 {
	limits, err := decodeAnswer[map[string]float64]([]byte(C.GoString(C.bq_limits())))
	if err != nil {
		// It is a part of the library that never changes.
		panic(err)
	}
	return limits
}
