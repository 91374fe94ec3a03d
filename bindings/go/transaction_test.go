package blockqueue

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestWhatIsCommittedHappensTogether(t *testing.T) {
	queue := testQueue(t, filepath.Join(t.TempDir(), "queue.db"))
	publishAll(t, queue, "old")
	old := claimed(t, queue, nil)[0]
	var published Published
	must(t, queue.Transaction(background, nil, func(ctx context.Context, tx *Transaction) error {
		_, err := tx.Execute(ctx, "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, price REAL, raw BLOB, note)")
		must(t, err)
		changed, err := tx.Execute(ctx, "INSERT INTO orders VALUES (?, ?, ?, ?, ?), (?, '', 2, NULL, ?)",
			int64(math.MaxInt64), "tea", 1.5, []byte{0, 0xff}, nil, uint8(7), true)
		must(t, err)
		if changed != 2 {
			t.Errorf("%d rows", changed)
		}
		published, err = tx.Publish(ctx, "t", Message{Payload: []byte("new"), Headers: map[string]string{"a": "b"}})
		must(t, err)
		return tx.Ack(ctx, old.Receipt)
	}))
	must(t, queue.Transaction(background, nil, func(ctx context.Context, tx *Transaction) error {
		rows, err := tx.Query(ctx, "SELECT * FROM orders ORDER BY id DESC")
		must(t, err)
		expected := Rows{[]string{"id", "item", "price", "raw", "note"}, [][]any{
			{int64(math.MaxInt64), "tea", 1.5, []byte{0, 0xff}, nil}, {int64(7), "", 2.0, nil, int64(1)},
		}}
		if !reflect.DeepEqual(rows, expected) {
			t.Errorf("%#v", rows)
		}
		return nil
	}))
	found := claimed(t, queue, nil)
	if len(found) != 1 || found[0].MessageID != published.ID || found[0].Headers["a"] != "b" {
		t.Errorf("%+v", found)
	}
}

func TestWhatFailsOrPanicsHappensNotAtAll(t *testing.T) {
	queue := testQueue(t, ":memory:")
	wrong := errors.New("wrong")
	err := queue.Transaction(background, nil, func(ctx context.Context, tx *Transaction) error {
		_, err := tx.Publish(ctx, "t", Text("x"))
		must(t, err)
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = queue.Transaction(background, nil, func(ctx context.Context, tx *Transaction) error {
			_, err := tx.Publish(ctx, "t", Text("x"))
			must(t, err)
			panic("enough")
		})
	}()
	ctx, cancel := context.WithCancel(background)
	err = queue.Transaction(ctx, nil, func(_ context.Context, tx *Transaction) error {
		_, err := tx.Publish(background, "t", Text("x"))
		must(t, err)
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if found := claimed(t, queue, nil); len(found) != 0 {
		t.Errorf("%d deliveries", len(found))
	}
}

func TestEveryVerbOfATransaction(t *testing.T) {
	queue := testQueue(t, ":memory:")
	publishAll(t, queue, "1", "2", "3", "4", "5")
	found := claimed(t, queue, nil)
	must(t, queue.Transaction(background, nil, func(ctx context.Context, tx *Transaction) error {
		nacked, err := tx.Nack(ctx, found[0].Receipt, &NackOptions{Error: "no", GiveUp: true})
		if err != nil || nacked.State != StateDeadLettered {
			t.Errorf("%+v %v", nacked, err)
		}
		until, err := tx.Extend(ctx, found[1].Receipt, time.Hour)
		if err != nil || time.Until(until) < 50*time.Minute {
			t.Errorf("%v %v", until, err)
		}
		ready, err := tx.Defer(ctx, found[2].Receipt, time.Hour)
		if err != nil || time.Until(ready) < 50*time.Minute {
			t.Errorf("%v %v", ready, err)
		}
		must(t, tx.Cancel(ctx, found[3].Receipt, "not wanted"))
		must(t, tx.CancelMessage(ctx, "t", found[4].MessageID))
		_, err = tx.Execute(ctx, "not SQL")
		refused(t, err, ErrSQLFailed)
		_, err = tx.Execute(ctx, "SELECT ?", struct{}{})
		refused(t, err, ErrInvalidArgument)
		_, err = tx.Execute(ctx, "SELECT ?", uint64(math.MaxUint64))
		refused(t, err, ErrInvalidArgument)
		_, err = tx.Publish(ctx, "nowhere", Text("x"))
		refused(t, err, ErrUnknownTopic)
		return nil
	}))
	stats, err := queue.SubscriberStats(background, "t", "s")
	if err != nil || stats.DeadCount != 1 || stats.LeasedCount != 1 || stats.RetryingCount != 1 {
		t.Errorf("%+v %v", stats, err)
	}
}

func TestTheQueueInItsOwnTransactionIsRefused(t *testing.T) {
	queue, other := testQueue(t, ":memory:"), testQueue(t, ":memory:")
	var kept *Transaction
	must(t, queue.Transaction(background, nil, func(ctx context.Context, tx *Transaction) error {
		kept = tx
		_, err := queue.Publish(ctx, "t", Text("x"))
		refused(t, err, ErrInTransaction)
		_, err = queue.Claim(ctx, "t", "s", &ClaimOptions{Wait: time.Hour})
		refused(t, err, ErrInTransaction)
		refused(t, queue.Transaction(ctx, nil, func(context.Context, *Transaction) error { return nil }), ErrInTransaction)
		_, err = other.Publish(ctx, "t", Text("x"))
		return err
	}))
	if _, err := kept.Publish(background, "t", Text("late")); err == nil {
		t.Error("it is over")
	}
}

func TestATransactionThatIsTooLongIsRolledBack(t *testing.T) {
	queue := testQueue(t, ":memory:")
	err := queue.Transaction(background, &TransactionOptions{Deadline: 20 * time.Millisecond},
		func(ctx context.Context, tx *Transaction) error {
			deadline := time.Now().Add(patience)
			for time.Now().Before(deadline) {
				if _, err := tx.Publish(ctx, "t", Text("x")); err != nil {
					return err
				}
			}
			return nil
		})
	refused(t, err, ErrTransactionEnded)
	if found := claimed(t, queue, nil); len(found) != 0 {
		t.Errorf("%d deliveries", len(found))
	}
}

// More goroutines than places wait for transactions, whose steps are on whatever thread there is.
func TestManyTransactionsOnAnyThread(t *testing.T) {
	queue := testQueue(t, ":memory:")
	var all sync.WaitGroup
	for range 2 * callsMax {
		all.Add(1)
		go func() {
			defer all.Done()
			err := queue.Transaction(background, &TransactionOptions{Deadline: time.Minute},
				func(ctx context.Context, tx *Transaction) error {
					for range 3 {
						if _, err := tx.Publish(ctx, "t", Text("x")); err != nil {
							return err
						}
						runtime.Gosched()
					}
					return nil
				})
			if err != nil {
				t.Error(err)
			}
			// Not in a transaction any more, whichever thread this is on.
			if _, err := queue.Publish(background, "t", Text("x")); err != nil {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	stats, err := queue.TopicStats(background, "t")
	if err != nil || stats.PublishedCount != 8*callsMax {
		t.Errorf("%+v %v", stats, err)
	}
}
