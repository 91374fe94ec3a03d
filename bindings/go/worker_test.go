package blockqueue

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// logs are the lines of a worker.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// running is a worker that runs; stop ends it and says what it did.
func running(t *testing.T, worker Worker) (stop func() WorkerReport, lines *logs) {
	t.Helper()
	lines = &logs{}
	worker.Topic, worker.Subscriber = "t", "s"
	worker.Logger = slog.New(slog.NewTextHandler(lines, nil))
	ctx, cancel := context.WithCancel(background)
	t.Cleanup(cancel)
	var report WorkerReport
	ended := make(chan error, 1)
	go func() {
		var err error
		report, err = worker.RunReporting(ctx)
		ended <- err
	}()
	return func() WorkerReport {
		cancel()
		must(t, <-ended)
		return report
	}, lines
}

func settledCount(t *testing.T, queue *Queue) uint64 {
	stats, err := queue.SubscriberStats(background, "t", "s")
	must(t, err)
	return stats.AckedCount
}

func TestAWorkerHandlesSoManyAtATime(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.PublishBatch(background, "t", numbered(100, 4))
	must(t, err)
	var now, most atomic.Int32
	stop, _ := running(t, Worker{Queue: queue, Concurrency: 4, Handler: func(context.Context, *Delivery) error {
		running := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); running > seen && !most.CompareAndSwap(seen, running); seen = most.Load() {
		}
		runtime.Gosched()
		return nil
	}})
	eventually(t, "all are acked", func() bool { return settledCount(t, queue) == 100 })
	if report := stop(); report != (WorkerReport{Acked: 100}) || most.Load() > 4 {
		t.Errorf("%+v, %d at a time", report, most.Load())
	}
}

func TestWhatAHandlerSaysIsDone(t *testing.T) {
	queue := testQueue(t, ":memory:")
	publishAll(t, queue, "fails", "panics", "never", "later", "exits", "well")
	stop, lines := running(t, Worker{Queue: queue, Concurrency: 2, Handler: func(_ context.Context, d *Delivery) error {
		if d.Attempt > 1 {
			return nil
		}
		switch string(d.Payload) {
		case "fails":
			return RetryAfter(0, errors.New("no luck"))
		case "panics":
			panic("oh no")
		case "never":
			return GiveUp(errors.New("hopeless"))
		case "later":
			return RetryAfter(time.Hour, errors.New("not now"))
		case "exits":
			runtime.Goexit()
		}
		return nil
	}})
	eventually(t, "the one that is retried and the one that is well are done", func() bool {
		stats, err := queue.SubscriberStats(background, "t", "s")
		return err == nil && stats.AckedCount >= 2 && stats.DeadCount == 1 && stats.NackedCount == 5
	})
	report := stop()
	if report.Failed != 5 || report.Unfinished != 0 {
		t.Errorf("%+v", report)
	}
	dead, err := queue.DeadLetters(background, "t", "s", nil)
	if err != nil || len(dead.Items) != 1 || dead.Items[0].Error != "hopeless" {
		t.Errorf("%+v %v", dead, err)
	}
	for _, said := range []string{"no luck", "oh no", "hopeless", "message_id=", "topic=t", "subscriber=s", "worker ends"} {
		if !strings.Contains(lines.String(), said) {
			t.Errorf("nothing of %q in %s", said, lines)
		}
	}
}

func TestLeasesAreExtendedWhileAHandlerRuns(t *testing.T) {
	queue := testQueue(t, ":memory:")
	publishAll(t, queue, "long")
	begun, end := make(chan struct{}), make(chan struct{})
	stop, _ := running(t, Worker{Queue: queue, Lease: 300 * time.Millisecond, Handler: func(context.Context, *Delivery) error {
		close(begun)
		<-end
		return nil
	}})
	<-begun
	for until := time.Now().Add(900 * time.Millisecond); time.Now().Before(until); {
		if stolen := claimed(t, queue, &ClaimOptions{Wait: 50 * time.Millisecond}); len(stolen) > 0 {
			t.Fatal("somebody else got it")
		}
	}
	close(end)
	eventually(t, "it is acked", func() bool { return settledCount(t, queue) == 1 })
	if report := stop(); report.Acked != 1 {
		t.Errorf("%+v", report)
	}
}

func TestAWorkerThatEndsGivesBackWhatItDidNotBegin(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.PublishBatch(background, "t", numbered(10, 4))
	must(t, err)
	begun, end := make(chan struct{}), make(chan struct{})
	stop, _ := running(t, Worker{Queue: queue, Batch: 10, Handler: func(context.Context, *Delivery) error {
		close(begun)
		<-end
		return nil
	}})
	<-begun
	reports := make(chan WorkerReport)
	go func() { reports <- stop() }()
	rest := claimed(t, queue, &ClaimOptions{Limit: 100, Wait: patience})
	if len(rest) != 9 || rest[0].Attempt != 1 {
		t.Errorf("%d deliveries", len(rest))
	}
	close(end)
	if report := <-reports; report != (WorkerReport{Acked: 1}) {
		t.Errorf("%+v", report)
	}
}

func TestAHandlerThatDoesNotReturnIsLeft(t *testing.T) {
	queue := testQueue(t, ":memory:")
	publishAll(t, queue, "stuck")
	begun, told := make(chan struct{}), make(chan struct{})
	end := make(chan struct{})
	defer close(end)
	stop, _ := running(t, Worker{Queue: queue, Drain: 20 * time.Millisecond, Handler: func(ctx context.Context, _ *Delivery) error {
		close(begun)
		<-ctx.Done()
		close(told)
		<-end
		return nil
	}})
	<-begun
	if report := stop(); report.Unfinished != 1 {
		t.Errorf("%+v", report)
	}
	<-told
}

func TestAWorkerReplies(t *testing.T) {
	queue := testQueue(t, ":memory:")
	published, err := queue.Publish(background, "t", Text("2"))
	must(t, err)
	stop, _ := running(t, Worker{Queue: queue, ReplyHandler: func(_ context.Context, d *Delivery) (*Reply, error) {
		reply, err := ReplyJSON(map[string]string{"got": string(d.Payload)})
		return &reply, err
	}})
	result, err := queue.Result(background, "t", "s", published.ID, patience)
	must(t, err)
	answer, err := DecodeResult[map[string]string](result)
	if err != nil || answer["got"] != "2" {
		t.Errorf("%v %v", answer, err)
	}
	stop()
}

func TestAWorkerSaysWhatWillNotPass(t *testing.T) {
	queue := testQueue(t, ":memory:")
	handler := func(context.Context, *Delivery) error { return nil }
	worker := Worker{
		Queue: queue, Topic: "t", Subscriber: "nobody", Handler: handler, Logger: slog.New(slog.DiscardHandler),
	}
	refused(t, worker.Run(background), ErrUnknownSubscriber)
	for _, wrong := range []Worker{
		{Topic: "t", Subscriber: "s", Handler: handler},
		{Queue: queue, Topic: "t", Subscriber: "s"},
		{Queue: queue, Topic: "t", Subscriber: "s", Handler: handler, Concurrency: -1},
		{Queue: queue, Topic: "t", Subscriber: "s", Handler: handler, Batch: 1001},
		{Queue: queue, Topic: "t", Subscriber: "s", Handler: handler, Lease: time.Millisecond},
	} {
		refused(t, wrong.Run(background), ErrInvalidArgument)
	}
	ended := make(chan error)
	worker.Subscriber = "s"
	go func() { ended <- worker.Run(background) }()
	eventually(t, "it claims", func() bool { return waitingClaims(t, queue) == 1 })
	must(t, queue.DeleteSubscriber(background, "t", "s"))
	refused(t, <-ended, ErrUnknownSubscriber)
}
