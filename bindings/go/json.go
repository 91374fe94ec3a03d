package blockqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

const jsonType = "application/json"

// JSON is a message with this value as JSON.
func JSON[T any](value T) (Message, error) {
	payload, err := json.Marshal(value)
	if err != nil {
		return Message{}, fmt.Errorf("blockqueue: the message: %w", err)
	}
	return Message{Payload: payload, ContentType: jsonType}, nil
}

// PublishJSON publishes a value as JSON. The rest of the message, such as its headers, is that of with, at most one.
func PublishJSON[T any](ctx context.Context, q *Queue, topic string, value T, with ...Message) (Published, error) {
	message, err := JSON(value)
	if err != nil {
		return Published{}, err
	}
	for _, rest := range with {
		rest.Payload, rest.ContentType = message.Payload, message.ContentType
		message = rest
	}
	return q.Publish(ctx, topic, message)
}

// Decode reads the payload of a delivery as JSON. A payload that says that it is something else is an error.
func Decode[T any](delivery *Delivery) (T, error) {
	return decodeJSON[T](delivery.ContentType, delivery.Payload)
}

// DecodeResult reads a reply as JSON. That there is none is an error.
func DecodeResult[T any](result Result) (T, error) {
	if result.State != ResultReplied {
		var none T
		return none, fmt.Errorf("blockqueue: there is no reply: %s", result.State)
	}
	return decodeJSON[T](result.ContentType, result.Payload)
}

// ReplyJSON is a reply with this value as JSON.
func ReplyJSON[T any](value T) (Reply, error) {
	message, err := JSON(value)
	return Reply{Payload: message.Payload, ContentType: message.ContentType}, err
}

func decodeJSON[T any](contentType string, payload []byte) (T, error) {
	var value T
	kind, _, _ := strings.Cut(contentType, ";")
	if kind = strings.TrimSpace(kind); kind != "" && kind != jsonType && !strings.HasSuffix(kind, "+json") {
		return value, fmt.Errorf("blockqueue: the payload is %s and no JSON", kind)
	}
	if err := json.Unmarshal(payload, &value); err != nil {
		return value, fmt.Errorf("blockqueue: the payload: %w", err)
	}
	return value, nil
}
