package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// blockQueue speaks the `/v1` contract, which ours and the original project share. One connection is used
// by each caller that waits for an answer.
type blockQueue struct {
	client *fasthttp.HostClient
	base   string
}

func openBlockQueue(address string) *blockQueue {
	return &blockQueue{
		client: &fasthttp.HostClient{Addr: address, MaxConns: 1_024, MaxIdleConnDuration: time.Minute},
		base:   "http://" + address,
	}
}

func (b *blockQueue) pollsEvery() time.Duration { return 0 }

func (b *blockQueue) create(subscribers, claimMax int) error {
	type option struct {
		MaxAttempts  int    `json:"max_attempts"`
		Visibility   string `json:"visibility_duration"`
		DequeueBatch int    `json:"dequeue_batch_size"`
	}
	type subscriber struct {
		Name   string `json:"name"`
		Option option `json:"option"`
	}
	var all []subscriber
	for i := range subscribers {
		all = append(all, subscriber{fmt.Sprintf("s%d", i), option{5, "1m", claimMax}})
	}
	body, err := json.Marshal(map[string]any{"name": "t", "subscribers": all})
	if err != nil {
		return err
	}
	return b.post("/v1/topics", body, nil)
}

// post fails unless the answer is a success, and hands its body to read.
func (b *blockQueue) post(path string, body []byte, read func([]byte) error) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.SetRequestURI(b.base + path)
	request.Header.SetContentType("application/json")
	request.SetBodyRaw(body)
	if err := b.client.Do(request, response); err != nil {
		return err
	}
	if code := response.StatusCode(); code/100 != 2 {
		return fmt.Errorf("%s: %d %s", path, code, response.Body())
	}
	if read == nil {
		return nil
	}
	return read(response.Body())
}

func (b *blockQueue) publisher() (publisher, error) {
	return &httpPublisher{b, []byte(`{"message":"` + payload + `"}`), make(map[int][]byte)}, nil
}

func (b *blockQueue) consumer(subscriber int) (consumer, error) {
	return &httpConsumer{b, fmt.Sprintf("/v1/topics/t/subscribers/s%d", subscriber)}, nil
}

type httpPublisher struct {
	*blockQueue
	one     []byte
	batches map[int][]byte
}

func (p *httpPublisher) publish(count int) error {
	if count == 1 {
		return p.post("/v1/topics/t/messages?wait_for=commit", p.one, nil)
	}
	body := p.batches[count]
	if body == nil {
		all := strings.Repeat(string(p.one)+",", count)
		body = []byte("[" + strings.TrimSuffix(all, ",") + "]")
		p.batches[count] = body
	}
	return p.post("/v1/topics/t/messages/batch?wait_for=commit", body, nil)
}

type httpConsumer struct {
	*blockQueue
	subscriber string
}

// claim takes as many as the subscriber was created with.
func (c *httpConsumer) claim(_ int, wait time.Duration) ([]receipt, error) {
	path := fmt.Sprintf("%s/claim?timeout=%dms", c.subscriber, min(wait, time.Minute).Milliseconds())
	var answer struct {
		Data []struct {
			ID      string `json:"id"`
			Message string `json:"message"`
			Token   string `json:"receipt_token"`
		} `json:"data"`
	}
	err := c.post(path, nil, func(body []byte) error { return json.Unmarshal(body, &answer) })
	claimed := make([]receipt, 0, len(answer.Data))
	for _, each := range answer.Data {
		claimed = append(claimed, receipt{id: each.ID, token: each.Token})
	}
	return claimed, err
}

func (c *httpConsumer) ack(claimed []receipt) error {
	type one struct {
		ID    string `json:"message_id"`
		Token string `json:"receipt_token"`
	}
	all := make([]one, 0, len(claimed))
	for _, each := range claimed {
		all = append(all, one{each.id, each.token})
	}
	body, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return c.post(c.subscriber+"/messages/batch/ack", body, func(answer []byte) error {
		if strings.Contains(string(answer), `"error"`) {
			return fmt.Errorf("not acknowledged: %s", answer)
		}
		return nil
	})
}
