//go:build blockqueue_static

package blockqueue

// #cgo linux LDFLAGS: -l:libblockqueue.a -lm -ldl -lpthread
// #cgo darwin LDFLAGS: -lblockqueue -framework CoreFoundation
import "C"
