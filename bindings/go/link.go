//go:build !blockqueue_static

package blockqueue

// #cgo LDFLAGS: -lblockqueue
import "C"
