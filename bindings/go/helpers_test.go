package blockqueue

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// background is what tests of the crossing need no more of.
var background = context.Background()

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// testQueue is a queue with the topic t and its subscriber s.
func testQueue(t testing.TB, path string) *Queue {
	t.Helper()
	queue, err := Open(background, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { queue.Close() })
	if _, err := queue.CreateTopic(background, "t", &NewTopic{Subscribers: []NewSubscriber{{Name: "s"}}}); err != nil {
		t.Fatal(err)
	}
	return queue
}

// publishAll publishes texts to t, one after the other.
func publishAll(t testing.TB, queue *Queue, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := queue.Publish(background, "t", Text(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// numbered are so many messages of this many bytes.
func numbered(count, size int) []Message {
	messages := make([]Message, count)
	for at := range messages {
		messages[at] = Text(fmt.Sprintf("%0*d", size, at))
	}
	return messages
}

// claimed is what one claim of the subscriber s gets.
func claimed(t testing.TB, queue *Queue, options *ClaimOptions) []*Delivery {
	t.Helper()
	deliveries, err := queue.Claim(background, "t", "s", options)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

// refused fails unless the error has this code.
func refused(t testing.TB, err error, code Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("expected %v, found %v", code, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until it holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("in %v it did not come to this: %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}
