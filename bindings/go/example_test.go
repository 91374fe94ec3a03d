package blockqueue_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/blockqueue/blockqueue/bindings/go"
)

// orders is a queue with a topic and a subscriber, in memory.
func orders(ctx context.Context) *blockqueue.Queue {
	queue := blockqueue.Must(blockqueue.Open(ctx, ":memory:", nil))
	subscribers := []blockqueue.NewSubscriber{{Name: "email"}}
	blockqueue.Must(queue.CreateTopic(ctx, "orders", &blockqueue.NewTopic{Subscribers: subscribers}))
	return queue
}

func Example() {
	ctx := context.Background()
	// A path keeps the queue in a file; this one lives as long as the handle.
	queue := blockqueue.Must(blockqueue.Open(ctx, ":memory:", nil))
	defer queue.Close()
	subscribers := []blockqueue.NewSubscriber{{Name: "email"}, {Name: "audit"}}
	blockqueue.Must(queue.CreateTopic(ctx, "orders", &blockqueue.NewTopic{Subscribers: subscribers}))

	blockqueue.Must(queue.Publish(ctx, "orders", blockqueue.Text("order 42 was paid")))

	for _, delivery := range blockqueue.Must(queue.Claim(ctx, "orders", "email", nil)) {
		fmt.Printf("%s, attempt %d\n", delivery.Payload, delivery.Attempt)
		if err := delivery.Ack(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output: order 42 was paid, attempt 1
}

func ExampleQueue_Deliveries() {
	ctx := context.Background()
	queue := orders(ctx)
	defer queue.Close()
	blockqueue.Must(queue.PublishBatch(ctx, "orders", []blockqueue.Message{blockqueue.Text("1"), blockqueue.Text("2")}))

	options := blockqueue.ConsumeOptions{Idle: 10 * time.Millisecond}
	for delivery, err := range queue.Deliveries(ctx, "orders", "email", &options) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("order %s\n", delivery.Payload)
		if err := delivery.Ack(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// order 1
	// order 2
}

func ExampleQueue_Claim() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	queue := orders(ctx)
	defer queue.Close()

	// Nothing comes: the context ends the wait.
	_, err := queue.Claim(ctx, "orders", "email", &blockqueue.ClaimOptions{Wait: time.Hour})
	fmt.Println(err)
	// Output: context deadline exceeded
}

func ExampleError() {
	ctx := context.Background()
	queue := orders(ctx)
	defer queue.Close()

	_, err := queue.Publish(ctx, "invoices", blockqueue.Text("x"))
	fmt.Println(errors.Is(err, blockqueue.ErrUnknownTopic))

	var failure *blockqueue.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Code, int(failure.Code), failure.Code.Retry())
	}
	// Output:
	// true
	// unknown_topic 3 never
}

func ExampleWorker() {
	ctx, stop := context.WithCancel(context.Background())
	queue := orders(ctx)
	defer queue.Close()
	blockqueue.Must(queue.Publish(ctx, "orders", blockqueue.Text("42")))

	worker := blockqueue.Worker{
		Queue: queue, Topic: "orders", Subscriber: "email", Concurrency: 8,
		Logger: slog.New(slog.DiscardHandler),
		Handler: func(ctx context.Context, delivery *blockqueue.Delivery) error {
			if len(delivery.Payload) == 0 {
				return blockqueue.GiveUp(errors.New("no order"))
			}
			fmt.Printf("mail for order %s\n", delivery.Payload)
			stop() // mostly a signal does that: signal.NotifyContext
			return nil
		},
	}
	report, err := worker.RunReporting(ctx)
	fmt.Println(report.Acked, err)
	// Output:
	// mail for order 42
	// 1 <nil>
}

func ExamplePublishJSON() {
	type order struct {
		ID    int
		Items []string
	}
	ctx := context.Background()
	queue := orders(ctx)
	defer queue.Close()

	with := blockqueue.Message{Headers: map[string]string{"trace": "1"}}
	blockqueue.Must(blockqueue.PublishJSON(ctx, queue, "orders", order{42, []string{"tea"}}, with))

	for _, delivery := range blockqueue.Must(queue.Claim(ctx, "orders", "email", nil)) {
		fmt.Println(blockqueue.Must(blockqueue.Decode[order](delivery)), delivery.Headers["trace"])
	}
	// Output: {42 [tea]} 1
}

func ExampleQueue_Result() {
	ctx := context.Background()
	queue := orders(ctx)
	defer queue.Close()
	published := blockqueue.Must(queue.Publish(ctx, "orders", blockqueue.Text("how much?")))

	go func() {
		delivery := blockqueue.Must(queue.Claim(ctx, "orders", "email", nil))[0]
		reply := blockqueue.Must(blockqueue.ReplyJSON(map[string]int{"total": 7}))
		if err := delivery.AckWithResult(ctx, reply); err != nil {
			log.Fatal(err)
		}
	}()
	result := blockqueue.Must(queue.Result(ctx, "orders", "email", published.ID, time.Minute))
	fmt.Println(result.State, blockqueue.Must(blockqueue.DecodeResult[map[string]int](result))["total"])
	// Output: replied 7
}

func ExampleQueue_UpdateSubscriber() {
	ctx := context.Background()
	queue := orders(ctx)
	defer queue.Close()

	filter := blockqueue.Filter(`{"header": "country", "equals": "NL"}`)
	change := blockqueue.SubscriberChange{MaxAttempts: blockqueue.Ptr(uint32(7)), Filter: &filter}
	subscriber := blockqueue.Must(queue.UpdateSubscriber(ctx, "orders", "email", change))
	fmt.Println(subscriber.Options.MaxAttempts, subscriber.Options.Lease)
	// Output: 7 30s
}

func ExampleQueue_CreateSchedule() {
	ctx := context.Background()
	queue := orders(ctx)
	defer queue.Close()

	schedule := blockqueue.Must(queue.CreateSchedule(ctx, "orders", "nightly", blockqueue.ScheduleOptions{
		Cron: "0 3 * * *", Timezone: "Europe/Amsterdam", Message: blockqueue.Text("close the books"),
	}))
	fmt.Println(schedule.Name, schedule.Version, schedule.NextAt.After(time.Now()))
	// Output: nightly 1 true
}
