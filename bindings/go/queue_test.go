package blockqueue

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAMessageArrivesAsItWasPublished(t *testing.T) {
	queue := testQueue(t, filepath.Join(t.TempDir(), "queue.db"))
	message := Message{
		Payload: []byte{0, 0xff, 'x'}, ContentType: "application/x-test", CorrelationID: "c", OrderingKey: "o",
		Headers: map[string]string{"a": "1", "ü": "", "long": strings.Repeat("y", 1000)}, Priority: -3, TTL: time.Hour,
	}
	published, err := queue.PublishBatch(background, "t", []Message{Text("plain"), message, {}})
	must(t, err)
	if len(published) != 3 || published[0].SubscriberCount != 1 || published[1].Duplicate {
		t.Fatalf("%+v", published)
	}
	found := claimed(t, queue, nil)
	if len(found) != 3 {
		t.Fatalf("%d deliveries", len(found))
	}
	plain, empty, full := found[0], found[1], found[2]
	if string(plain.Payload) != "plain" || plain.Headers != nil || plain.ContentType != "" || !plain.ExpiresAt.IsZero() {
		t.Errorf("%+v", plain)
	}
	if empty.Payload == nil || len(empty.Payload) != 0 {
		t.Errorf("%+v", empty)
	}
	if !bytes.Equal(full.Payload, message.Payload) || full.ContentType != message.ContentType ||
		full.CorrelationID != "c" || full.OrderingKey != "o" || full.Priority != -3 || full.MessageID != published[1].ID {
		t.Errorf("%+v", full)
	}
	for name, value := range message.Headers {
		if found, ok := full.Headers[name]; !ok || found != value {
			t.Errorf("header %s", name)
		}
	}
	// The engine's times are whole milliseconds, rounded up.
	if full.Topic != "t" || full.Subscriber != "s" || full.Attempt != 1 || full.Failures != 0 ||
		time.Until(full.LeaseExpiresAt) > 30*time.Second+time.Millisecond ||
		time.Until(full.ExpiresAt) > time.Hour+time.Millisecond {
		t.Errorf("%+v", full)
	}
	for _, delivery := range found {
		must(t, delivery.Ack(background))
		refused(t, delivery.Extend(background, time.Minute), ErrLeaseLost)
	}
}

func TestIdsAndReceiptsAreTextAndBack(t *testing.T) {
	queue := testQueue(t, ":memory:")
	publishAll(t, queue, "x")
	delivery := claimed(t, queue, nil)[0]
	id, err := ParseID(delivery.MessageID.String())
	if err != nil || id != delivery.MessageID || len(id.String()) != 36 {
		t.Errorf("%v %v", id, err)
	}
	receipt, err := ParseReceipt(delivery.Receipt.String())
	if err != nil || receipt != delivery.Receipt {
		t.Errorf("%v %v", receipt, err)
	}
	_, err = ParseReceipt("no receipt")
	refused(t, err, ErrInvalidReceipt)
	_, err = ParseID("no id")
	refused(t, err, ErrInvalidArgument)
	refused(t, queue.Ack(background, Receipt{}), ErrLeaseLost)
	foreign := Receipt{}
	foreign[51] = 0xff
	if queue.Ack(background, foreign) == nil {
		t.Error("it was made up")
	}
	must(t, queue.Ack(background, receipt))
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	queue := testQueue(t, ":memory:")
	wrong := "a\xffb"
	_, err := queue.CreateTopic(background, wrong, nil)
	refused(t, err, ErrInvalidArgument)
	_, err = queue.Publish(background, wrong, Text("x"))
	refused(t, err, ErrInvalidArgument)
	_, err = queue.Claim(background, "t", wrong, nil)
	refused(t, err, ErrInvalidArgument)
	_, err = queue.Claim(background, "t", wrong, &ClaimOptions{Wait: time.Minute})
	refused(t, err, ErrInvalidArgument)
	_, err = queue.Publish(background, "t", Message{Headers: map[string]string{wrong: "x"}})
	refused(t, err, ErrInvalidArgument)
	_, err = queue.Publish(background, "t", Message{Headers: map[string]string{"x": wrong}})
	refused(t, err, ErrInvalidArgument)
	_, err = Open(background, "", nil)
	refused(t, err, ErrInvalidArgument)
	_, err = Open(background, "a\x00b", nil)
	refused(t, err, ErrInvalidArgument)
}

func TestWhatIsTooLongIsRefused(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.Publish(background, "t", Message{Payload: make([]byte, 1<<20+1)})
	refused(t, err, ErrLimitExceeded)
	_, err = queue.CreateTopic(background, strings.Repeat("n", 10_000), nil)
	refused(t, err, ErrLimitExceeded)
	_, err = queue.PublishBatch(background, "t", numbered(1001, 4))
	refused(t, err, ErrLimitExceeded)
	_, err = queue.AckBatch(background, make([]Receipt, 1001))
	if err == nil {
		t.Error("too many receipts")
	}
	for _, limit := range []int{-1, 1001} {
		if _, err = queue.Claim(background, "t", "s", &ClaimOptions{Limit: limit}); err == nil {
			t.Errorf("a limit of %d", limit)
		}
	}
	_, err = Open(background, ":memory:", &OpenOptions{PayloadBytesMax: -1})
	if err == nil {
		t.Error("a negative size")
	}
	_, err = queue.PublishBatch(background, "t", nil)
	refused(t, err, ErrInvalidArgument)
}

func TestAfterCloseEverythingSaysSo(t *testing.T) {
	queue := testQueue(t, filepath.Join(t.TempDir(), "queue.db"))
	publishAll(t, queue, "x")
	delivery := claimed(t, queue, nil)[0]
	waiting := make(chan error)
	go func() {
		_, err := queue.Claim(background, "t", "s", &ClaimOptions{Wait: time.Hour})
		waiting <- err
	}()
	eventually(t, "the claim waits", func() bool {
		stats, err := queue.EngineStats(background)
		return err == nil && stats.WaitingClaims == 1
	})
	must(t, queue.Close())
	refused(t, <-waiting, ErrShutdown)
	must(t, queue.Close())
	_, err := queue.Publish(background, "t", Text("y"))
	refused(t, err, ErrShutdown)
	_, err = queue.Claim(background, "t", "s", &ClaimOptions{Wait: time.Hour})
	refused(t, err, ErrShutdown)
	refused(t, delivery.Ack(background), ErrShutdown)
	_, err = queue.TopicStats(background, "t")
	refused(t, err, ErrShutdown)
	_, err = queue.Result(background, "t", "s", delivery.MessageID, time.Hour)
	refused(t, err, ErrShutdown)
}

func TestCloseWhileManyUseIt(t *testing.T) {
	for range 20 {
		queue := testQueue(t, ":memory:")
		var users sync.WaitGroup
		for range 8 {
			users.Add(2)
			go func() {
				defer users.Done()
				for {
					if _, err := queue.Publish(background, "t", Text("x")); err != nil {
						refused(t, err, ErrShutdown)
						return
					}
				}
			}()
			go func() {
				defer users.Done()
				for {
					_, err := queue.Claim(background, "t", "s", &ClaimOptions{Wait: time.Minute, Limit: 1})
					if err != nil {
						refused(t, err, ErrShutdown)
						return
					}
				}
			}()
		}
		must(t, queue.Close())
		users.Wait()
	}
}

func TestAContextThatHasEndedBeginsNothing(t *testing.T) {
	queue := testQueue(t, ":memory:")
	ended, end := context.WithCancel(background)
	end()
	_, published := queue.Publish(ended, "t", Text("x"))
	_, batch := queue.PublishBatch(ended, "t", numbered(2, 2))
	_, claim := queue.Claim(ended, "t", "s", nil)
	_, waits := queue.Claim(ended, "t", "s", &ClaimOptions{Wait: time.Hour})
	_, topic := queue.Topic(ended, "t")
	_, opened := Open(ended, ":memory:", nil)
	for _, err := range []error{published, batch, claim, waits, topic, opened, queue.Ack(ended, Receipt{})} {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	stats, err := queue.TopicStats(background, "t")
	if err != nil || stats.PublishedCount != 0 {
		t.Errorf("%+v %v", stats, err)
	}
}

func TestABackupIsAQueue(t *testing.T) {
	queue := testQueue(t, filepath.Join(t.TempDir(), "queue.db"))
	_, err := queue.PublishBatch(background, "t", numbered(1000, 100))
	must(t, err)
	path := filepath.Join(t.TempDir(), "copy.db")
	var done, total uint64
	must(t, queue.Backup(background, path, &BackupOptions{Progress: func(now, of uint64) { done, total = now, of }}))
	if done == 0 || done > total {
		t.Errorf("%d of %d bytes", done, total)
	}
	refused(t, queue.Backup(background, path, nil), ErrCannotOpen)
	copied, err := Open(background, path, &OpenOptions{MustExist: true})
	must(t, err)
	defer copied.Close()
	if found := claimed(t, copied, &ClaimOptions{Limit: 1000}); len(found) != 1000 {
		t.Errorf("%d deliveries", len(found))
	}
	found, err := copied.Diagnose(background)
	if err != nil || len(found.Problems) != 0 || found.SchemaVersion == 0 || found.SQLiteVersion == "" {
		t.Errorf("%+v %v", found, err)
	}
}

func TestAPanicOfAListenerComesOutOfTheBackup(t *testing.T) {
	queue := testQueue(t, filepath.Join(t.TempDir(), "queue.db"))
	path := filepath.Join(t.TempDir(), "copy.db")
	defer func() {
		if recover() != "enough" {
			t.Error("it did not come out")
		}
		// The copy is whole all the same.
		_, err := Open(background, path, &OpenOptions{MustExist: true})
		must(t, err)
	}()
	must(t, queue.Backup(background, path, &BackupOptions{Progress: func(uint64, uint64) { panic("enough") }}))
}
