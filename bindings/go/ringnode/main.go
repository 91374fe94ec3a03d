// Ringnode hands messages from one topic to another, together with programs of other languages on the same file:
// tests/interop/README.md of the repository says how.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/blockqueue/blockqueue/bindings/go"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, words []string) error {
	if len(words) != 5 {
		return errors.New("ringnode FILE TOPIC_IN SUBSCRIBER TOPIC_OUT COUNT")
	}
	count, err := strconv.Atoi(words[4])
	if err != nil {
		return err
	}
	queue, err := blockqueue.Open(ctx, words[0], &blockqueue.OpenOptions{MustExist: true})
	if err != nil {
		return err
	}
	defer queue.Close()
	fmt.Println("ready")
	for count > 0 {
		options := blockqueue.ClaimOptions{Limit: min(count, 10), Wait: time.Minute}
		claimed, err := queue.Claim(ctx, words[1], words[2], &options)
		if err != nil {
			return err
		}
		for _, delivery := range claimed {
			if err := handOn(ctx, queue, words[3], delivery); err == nil {
				count--
			} else if !errors.Is(err, blockqueue.ErrLeaseLost) {
				return err
			}
		}
	}
	return queue.Close()
}

func handOn(ctx context.Context, queue *blockqueue.Queue, to string, delivery *blockqueue.Delivery) error {
	_, err := queue.Publish(ctx, to, blockqueue.Message{
		Payload: delivery.Payload, ContentType: delivery.ContentType, Headers: delivery.Headers,
		CorrelationID: delivery.CorrelationID, IdempotencyKey: delivery.CorrelationID,
	})
	if err != nil {
		return err
	}
	return delivery.Ack(ctx)
}
