package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsJetStream: one stream in a file, a durable pull consumer for each subscriber.
type natsJetStream struct {
	connection *nats.Conn
	stream     jetstream.JetStream
}

func openNats(address string) (*natsJetStream, error) {
	connection, err := nats.Connect("nats://"+address, nats.Timeout(5*time.Second))
	if err != nil {
		return nil, err
	}
	stream, err := jetstream.New(connection, jetstream.WithDefaultTimeout(30*time.Second))
	if err != nil {
		return nil, err
	}
	// It listens before it has read its files.
	deadline := time.Now().Add(30 * time.Second)
	for {
		_, err := stream.AccountInfo(always)
		if err == nil || time.Now().After(deadline) {
			return &natsJetStream{connection, stream}, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (n *natsJetStream) pollsEvery() time.Duration { return 0 }

func (n *natsJetStream) create(subscribers, _ int) error {
	_, err := n.stream.CreateStream(always, jetstream.StreamConfig{
		Name: "t", Subjects: []string{"t"}, Storage: jetstream.FileStorage, AllowAtomicPublish: true,
	})
	if err != nil {
		return err
	}
	for i := range subscribers {
		_, err := n.stream.CreateConsumer(always, "t", jetstream.ConsumerConfig{
			Durable: group(i), AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute,
			MaxAckPending: -1,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *natsJetStream) publisher() (publisher, error) { return &natsPublisher{natsJetStream: n}, nil }

type natsPublisher struct {
	*natsJetStream
	batches int
}

func (p *natsPublisher) publish(count int) error {
	if count == 1 {
		_, err := p.stream.Publish(always, "t", []byte(payload))
		return err
	}
	return p.publishAtomically(count)
}

// publishAtomically sends a batch that the server stores as a whole; only its last message is answered.
func (p *natsPublisher) publishAtomically(count int) error {
	p.batches++
	id := fmt.Sprintf("%p-%d", p, p.batches)
	for place := 1; place <= count; place++ {
		message := nats.NewMsg("t")
		message.Data = []byte(payload)
		message.Header.Set("Nats-Batch-Id", id)
		message.Header.Set("Nats-Batch-Sequence", strconv.Itoa(place))
		if place < count {
			if err := p.connection.PublishMsg(message); err != nil {
				return err
			}
			continue
		}
		message.Header.Set("Nats-Batch-Commit", "1")
		answer, err := p.connection.RequestMsg(message, 30*time.Second)
		if err != nil {
			return err
		}
		if strings.Contains(string(answer.Data), `"error"`) {
			return fmt.Errorf("batch refused: %s", answer.Data)
		}
	}
	return nil
}

func (n *natsJetStream) consumer(subscriber int) (consumer, error) {
	found, err := n.stream.Consumer(always, "t", group(subscriber))
	return &natsConsumer{found}, err
}

type natsConsumer struct{ consumer jetstream.Consumer }

func (c *natsConsumer) claim(max int, wait time.Duration) ([]receipt, error) {
	// What is there, and if there is nothing, one as soon as it comes.
	claimed, err := collect(c.consumer.FetchNoWait(max))
	if err != nil || len(claimed) > 0 {
		return claimed, err
	}
	return collect(c.consumer.Fetch(1, jetstream.FetchMaxWait(wait)))
}

func collect(fetched jetstream.MessageBatch, err error) ([]receipt, error) {
	if err != nil {
		return nil, err
	}
	var claimed []receipt
	for message := range fetched.Messages() {
		claimed = append(claimed, receipt{raw: message})
	}
	err = fetched.Error()
	if errors.Is(err, nats.ErrTimeout) || errors.Is(err, jetstream.ErrNoMessages) {
		err = nil
	}
	return claimed, err
}

// ack waits for the server's word on the last one, which follows all before it on the same connection.
func (c *natsConsumer) ack(claimed []receipt) error {
	for place, each := range claimed {
		message := each.raw.(jetstream.Msg)
		if place < len(claimed)-1 {
			if err := message.Ack(); err != nil {
				return err
			}
		} else if err := message.DoubleAck(always); err != nil {
			return err
		}
	}
	return nil
}
