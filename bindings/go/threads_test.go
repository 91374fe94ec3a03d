//go:build linux

package blockqueue

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// statusOf is a number of /proc/self/status, such as Threads or VmRSS (in KiB).
func statusOf(t testing.TB, name string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			number, err := strconv.Atoi(strings.Fields(rest)[0])
			must(t, err)
			return number
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

func openDescriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}

func TestTenThousandWaitingClaimsHoldNoThreads(t *testing.T) {
	const waiting = 10_000
	queue := testQueue(t, ":memory:")
	before := statusOf(t, "Threads")
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	var all sync.WaitGroup
	got := make(chan *Delivery, waiting)
	for range waiting {
		all.Add(1)
		go func() {
			defer all.Done()
			deliveries, err := queue.Claim(ctx, "t", "s", &ClaimOptions{Wait: time.Hour, Limit: 1})
			if err == nil {
				got <- deliveries[0]
			}
		}()
	}
	eventually(t, "all claims wait", func() bool { return waitingClaims(t, queue) == waiting })
	// Those that began at once may have had a thread each, up to the limit; it stays for later use.
	if threads := statusOf(t, "Threads"); threads > before+callsMax+16 {
		t.Errorf("%d threads, %d before", threads, before)
	}
	// Half of them get something, the others are cancelled.
	for range waiting / 2 / 1000 {
		_, err := queue.PublishBatch(background, "t", numbered(1000, 8))
		must(t, err)
	}
	eventually(t, "half of them have a delivery", func() bool { return len(got) == waiting/2 })
	cancel()
	all.Wait()
	if len(got) != waiting/2 {
		t.Errorf("%d deliveries", len(got))
	}
	if threads := statusOf(t, "Threads"); threads > before+callsMax+16 {
		t.Errorf("%d threads at the end, %d before", threads, before)
	}
	t.Logf("threads: %d before, %d now", before, statusOf(t, "Threads"))
}

// Round trips in batches, until nothing grows any more that should not.
func TestNothingLeaks(t *testing.T) {
	rounds, each := 200, 1000
	if testing.Short() {
		rounds = 40
	}
	// In memory, what is settled would count until upkeep comes.
	queue := testQueue(t, filepath.Join(t.TempDir(), "queue.db"))
	message := Message{Payload: make([]byte, 100), Headers: map[string]string{"a": "b"}, CorrelationID: "c"}
	batch := make([]Message, each)
	for at := range batch {
		batch[at] = message
	}
	trip := func() {
		_, err := queue.PublishBatch(background, "t", batch)
		must(t, err)
		found := claimed(t, queue, &ClaimOptions{Limit: each, Wait: time.Second})
		refusals, err := queue.AckBatch(background, receiptsOf(found))
		must(t, err)
		for _, refusal := range refusals {
			must(t, refusal)
		}
		// An error, a text and a claim that is cancelled, each of which has a handle.
		_, err = queue.Topic(background, "nowhere")
		refused(t, err, ErrUnknownTopic)
		_, err = queue.TopicStats(background, "t")
		must(t, err)
		short, cancel := context.WithTimeout(background, time.Microsecond)
		_, _ = queue.Claim(short, "t", "s", &ClaimOptions{Wait: time.Second})
		cancel()
	}
	for range rounds / 4 {
		trip()
	}
	threads, descriptors := statusOf(t, "Threads"), openDescriptors(t)
	// What leaks grows in each stretch; what the runtime keeps for itself does not.
	least := math.MaxInt
	for range 4 {
		runtime.GC()
		before := statusOf(t, "VmRSS")
		for range rounds / 2 {
			trip()
		}
		runtime.GC()
		least = min(least, statusOf(t, "VmRSS")-before)
	}
	if now := statusOf(t, "Threads"); now > threads+4 {
		t.Errorf("%d threads, before %d", now, threads)
	}
	// The engine opens its file once more now and then; what leaks would be one for each of the trips.
	if now := openDescriptors(t); now > descriptors+rounds/4 {
		t.Errorf("%d descriptors, before %d", now, descriptors)
	}
	// 100,000 deliveries of more than 300 bytes would be 30 MiB.
	if least > 15<<10 {
		t.Errorf("memory grew by %d KiB in each stretch", least)
	}
}

func TestQueuesThatNobodyClosedAreFreed(t *testing.T) {
	open := func() {
		queue, err := Open(background, ":memory:", nil)
		must(t, err)
		_, err = queue.CreateTopic(background, "t", &NewTopic{Subscribers: []NewSubscriber{{Name: "s"}}})
		must(t, err)
		// Starts the goroutine that takes answers.
		_, err = queue.Claim(background, "t", "s", &ClaimOptions{Wait: time.Millisecond})
		must(t, err)
	}
	open()
	threads, descriptors, goroutines := statusOf(t, "Threads"), openDescriptors(t), runtime.NumGoroutine()
	for range 50 {
		open()
	}
	eventually(t, "they are gone", func() bool {
		runtime.GC()
		return statusOf(t, "Threads") <= threads+8 && openDescriptors(t) <= descriptors+4 &&
			runtime.NumGoroutine() <= goroutines+4
	})
}
