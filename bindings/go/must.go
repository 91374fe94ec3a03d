package blockqueue

// Must is the value, or a panic with the error: for tests, examples, and programs that are to end on an error.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
