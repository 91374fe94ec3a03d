package blockqueue

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestAPublishWakesAWaitingClaim(t *testing.T) {
	queue := testQueue(t, ":memory:")
	got := make(chan []*Delivery)
	go func() { got <- claimed(t, queue, &ClaimOptions{Wait: time.Hour}) }()
	eventually(t, "the claim waits", func() bool { return waitingClaims(t, queue) == 1 })
	publishAll(t, queue, "x")
	select {
	case deliveries := <-got:
		if len(deliveries) != 1 || string(deliveries[0].Payload) != "x" {
			t.Errorf("%v", deliveries)
		}
	case <-time.After(patience):
		t.Fatal("nobody was woken")
	}
}

func waitingClaims(t testing.TB, queue *Queue) int {
	t.Helper()
	stats, err := queue.EngineStats(background)
	must(t, err)
	return int(stats.WaitingClaims)
}

func TestTheEndOfAContextEndsAWaitingClaim(t *testing.T) {
	queue := testQueue(t, ":memory:")
	ctx, cancel := context.WithCancel(background)
	ended := make(chan error)
	go func() {
		_, err := queue.Claim(ctx, "t", "s", &ClaimOptions{Wait: time.Hour})
		ended <- err
	}()
	eventually(t, "the claim waits", func() bool { return waitingClaims(t, queue) == 1 })
	since := time.Now()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(since); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	short, done := context.WithTimeout(background, 20*time.Millisecond)
	defer done()
	_, err := queue.ClaimAny(short, []Source{{"t", "s"}}, &ClaimOptions{Wait: time.Hour})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	_, err = queue.Claim(background, "t", "s", &ClaimOptions{Wait: 10 * time.Millisecond})
	must(t, err)
}

func TestCancelledClaimsDoNotPileUp(t *testing.T) {
	queue := testQueue(t, ":memory:")
	for range 10 {
		ctx, cancel := context.WithCancel(background)
		var all sync.WaitGroup
		for range 1000 {
			all.Add(1)
			go func() {
				defer all.Done()
				_, _ = queue.Claim(ctx, "t", "s", &ClaimOptions{Wait: time.Hour})
			}()
		}
		eventually(t, "they wait", func() bool {
			waits, err := queue.waiting()
			must(t, err)
			waits.mu.Lock()
			defer waits.mu.Unlock()
			return len(waits.waiting) == 1000
		})
		// What was started before this is with the engine when it is answered.
		must(t, queue.PauseTopic(background, "t"))
		must(t, queue.ResumeTopic(background, "t"))
		cancel()
		all.Wait()
	}
	if waiting := waitingClaims(t, queue); waiting > 4000 {
		t.Errorf("the engine still knows %d of them", waiting)
	}
}

// A cancellation and a delivery at the same moment: either the claim has it, or the next one does.
func TestACancelledClaimLosesNothing(t *testing.T) {
	queue := testQueue(t, ":memory:")
	for round := range 1000 {
		ctx, cancel := context.WithCancel(background)
		var got []*Delivery
		var failed error
		var both sync.WaitGroup
		both.Add(2)
		begun := make(chan struct{})
		go func() {
			defer both.Done()
			close(begun)
			got, failed = queue.Claim(ctx, "t", "s", &ClaimOptions{Wait: time.Hour})
		}()
		go func() {
			defer both.Done()
			<-begun
			if round%2 == 0 {
				cancel()
			}
		}()
		<-begun
		publishAll(t, queue, "x")
		if round%2 == 1 {
			cancel()
		}
		both.Wait()
		cancel()
		if failed != nil {
			if !errors.Is(failed, context.Canceled) || got != nil {
				t.Fatal(failed)
			}
			// What it got, it gave back: it is there at once, and its attempt did not count.
			got = claimed(t, queue, &ClaimOptions{Wait: patience})
		}
		if len(got) != 1 || got[0].Attempt != 1 {
			t.Fatalf("round %d: %d deliveries", round, len(got))
		}
		must(t, got[0].Ack(background))
	}
	stats, err := queue.SubscriberStats(background, "t", "s")
	if err != nil || stats.AckedCount != 1000 || stats.LeasedCount != 0 || stats.PendingCount != 0 {
		t.Errorf("%+v %v", stats, err)
	}
}

func TestAResultIsWaitedFor(t *testing.T) {
	queue := testQueue(t, ":memory:")
	published, err := queue.Publish(background, "t", Text("question"))
	must(t, err)
	got := make(chan Result)
	go func() {
		result, err := queue.Result(background, "t", "s", published.ID, time.Hour)
		if err != nil {
			t.Error(err)
		}
		got <- result
	}()
	delivery := claimed(t, queue, nil)[0]
	must(t, delivery.AckWithResult(background, Reply{Payload: []byte("answer"), ContentType: "text/plain"}))
	select {
	case result := <-got:
		if result.State != ResultReplied || string(result.Payload) != "answer" || result.ContentType != "text/plain" {
			t.Errorf("%+v", result)
		}
	case <-time.After(patience):
		t.Fatal("nobody was woken")
	}
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	other, err := queue.Publish(background, "t", Text("never answered"))
	must(t, err)
	if _, err := queue.Result(ctx, "t", "s", other.ID, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// Where there is no descriptor for Go's poller, one thread waits for all.
func TestWaitsWithoutADescriptor(t *testing.T) {
	queue := testQueue(t, ":memory:")
	waits, err := startWaits(false)
	must(t, err)
	queue.waits = waits
	if waits.news != nil {
		t.Fatal("there is a descriptor")
	}
	got := make(chan []*Delivery)
	go func() { got <- claimed(t, queue, &ClaimOptions{Wait: time.Hour}) }()
	eventually(t, "the claim waits", func() bool { return waitingClaims(t, queue) == 1 })
	publishAll(t, queue, "x")
	if deliveries := <-got; len(deliveries) != 1 {
		t.Errorf("%d deliveries", len(deliveries))
	}
	must(t, queue.Close())
}
