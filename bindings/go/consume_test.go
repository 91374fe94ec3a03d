package blockqueue

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTheLoopHasEachDeliveryOnce(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.PublishBatch(background, "t", numbered(25, 4))
	must(t, err)
	seen := 0
	for delivery, err := range queue.Deliveries(background, "t", "s", &ConsumeOptions{Idle: 50 * time.Millisecond}) {
		must(t, err)
		if string(delivery.Payload) != string(numbered(25, 4)[seen].Payload) {
			t.Fatalf("%s at %d", delivery.Payload, seen)
		}
		must(t, delivery.Ack(background))
		seen++
	}
	if seen != 25 {
		t.Errorf("%d deliveries", seen)
	}
}

func TestALoopThatIsLeftGivesTheRestBack(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.PublishBatch(background, "t", numbered(10, 4))
	must(t, err)
	for delivery, err := range queue.Deliveries(background, "t", "s", nil) {
		must(t, err)
		must(t, delivery.Ack(background))
		break
	}
	rest := claimed(t, queue, &ClaimOptions{Limit: 100})
	if len(rest) != 9 || rest[0].Attempt != 1 {
		t.Errorf("%d deliveries", len(rest))
	}
}

func TestALoopThatPanicsGivesTheRestBack(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.PublishBatch(background, "t", numbered(10, 4))
	must(t, err)
	func() {
		defer func() { _ = recover() }()
		for range queue.Deliveries(background, "t", "s", nil) {
			panic("enough")
		}
	}()
	if rest := claimed(t, queue, &ClaimOptions{Limit: 100}); len(rest) != 9 {
		t.Errorf("%d deliveries", len(rest))
	}
}

func TestTheEndOfAContextEndsTheLoop(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.PublishBatch(background, "t", numbered(10, 4))
	must(t, err)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	var last error
	for delivery, err := range queue.Deliveries(ctx, "t", "s", nil) {
		if err != nil {
			last = err
			continue
		}
		must(t, delivery.Ack(background))
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Error(last)
	}
	if rest := claimed(t, queue, &ClaimOptions{Limit: 100}); len(rest) != 9 {
		t.Errorf("%d deliveries", len(rest))
	}
	for _, err := range queue.Deliveries(background, "t", "nobody", nil) {
		refused(t, err, ErrUnknownSubscriber)
	}
}

func TestWhatWaitsInALoopIsKept(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.PublishBatch(background, "t", numbered(3, 4))
	must(t, err)
	options := ConsumeOptions{Lease: 400 * time.Millisecond, Idle: 10 * time.Millisecond}
	stolen, seen := 0, 0
	for delivery, err := range queue.Deliveries(background, "t", "s", &options) {
		must(t, err)
		seen++
		// Longer than half of a lease, and altogether longer than one.
		until := time.Now().Add(250 * time.Millisecond)
		for time.Now().Before(until) {
			stolen += len(claimed(t, queue, &ClaimOptions{Wait: 10 * time.Millisecond}))
		}
		must(t, delivery.Ack(background))
	}
	if seen != 3 || stolen != 0 {
		t.Errorf("%d seen, %d stolen", seen, stolen)
	}
}
