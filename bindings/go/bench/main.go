// Bench says what calls cost in Go. It is asked by `cargo xtask bench go`, which does the same in Rust in turn: each
// line of its input is "publish N" or "consume N", and is answered with nanoseconds.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/blockqueue/blockqueue/bindings/go"
)

const batch = 100

var (
	ctx     = context.Background()
	payload = []byte(fmt.Sprintf("%0100d", 0))
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var verb string
		var count int
		if _, err := fmt.Sscan(lines.Text(), &verb, &count); err != nil {
			panic(err)
		}
		took := map[string]func(int) time.Duration{"publish": publish, "consume": consume}[verb](count)
		fmt.Println(took.Nanoseconds())
	}
}

func open() *blockqueue.Queue {
	queue := blockqueue.Must(blockqueue.Open(ctx, ":memory:", nil))
	subscribers := []blockqueue.NewSubscriber{{Name: "s"}}
	blockqueue.Must(queue.CreateTopic(ctx, "t", &blockqueue.NewTopic{Subscribers: subscribers}))
	return queue
}

func publish(count int) time.Duration {
	queue := open()
	defer queue.Close()
	since := time.Now()
	for range count {
		blockqueue.Must(queue.Publish(ctx, "t", blockqueue.Message{Payload: payload}))
	}
	return time.Since(since)
}

func consume(count int) time.Duration {
	queue := open()
	defer queue.Close()
	messages := make([]blockqueue.Message, 1000)
	for at := range messages {
		messages[at].Payload = payload
	}
	for range count / len(messages) {
		blockqueue.Must(queue.PublishBatch(ctx, "t", messages))
	}
	options := blockqueue.ClaimOptions{Limit: batch}
	receipts := make([]blockqueue.Receipt, batch)
	since := time.Now()
	for range count / batch {
		for at, delivery := range blockqueue.Must(queue.Claim(ctx, "t", "s", &options)) {
			receipts[at] = delivery.Receipt
		}
		for _, refused := range blockqueue.Must(queue.AckBatch(ctx, receipts)) {
			if refused != nil {
				panic(refused)
			}
		}
	}
	return time.Since(since)
}
