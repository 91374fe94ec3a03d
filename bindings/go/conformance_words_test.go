//go:build blockqueue_testclock

package blockqueue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// Where a zero in a script asks for something else than zero does in Go: a face that cannot express a field lists it.
// Steps that want it refused are left out.
var zerosThatMeanDefault = []string{
	"claim.limit", "claim.lease_ms",
	"topics.limit", "subscribers.limit", "dead_letters.limit", "schedules.limit",
	"publish.message.ttl_ms", "publish.message.idempotency_key", "publish.message.ordering_key",
	"publish.message.unique_key", "ack.result.ttl_ms", "redrive.rate",
	"create_topic.options.idempotency_window_ms", "create_topic.options.ttl_ms",
	"create_topic.options.retention.duration_ms", "create_topic.options.backlog_limit.age_ms",
	"create_topic.subscribers.options.max_attempts", "create_topic.subscribers.options.leased_max",
	"create_topic.subscribers.options.leased_per_key_max",
	"create_subscribers.subscribers.options.max_attempts", "create_subscribers.subscribers.options.lease_ms",
	"create_subscribers.subscribers.options.claim_limit",
	// In a change it takes the limit back.
	"update_subscriber.options.leased_max", "update_subscriber.options.leased_per_key_max",
	"update_topic.options.ttl_ms",
}

// zeroMeansDefault is the place in the arguments of a zero that Go cannot express; empty if there is none.
func zeroMeansDefault(path string, value any) string {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if found := zeroMeansDefault(path+"."+name, member); found != "" {
				return found
			}
		}
	case []any:
		for _, item := range value {
			if found := zeroMeansDefault(path, item); found != "" {
				return found
			}
		}
	case float64, string:
		if reflect.ValueOf(value).IsZero() {
			for _, listed := range zerosThatMeanDefault {
				if listed == path {
					return path
				}
			}
		}
	}
	return ""
}

// performSettle has the verbs that take receipts in lists.
func performSettle(q *Queue, ctx context.Context, word string, given arguments) (answer any, err error, known bool) {
	if !strings.HasSuffix(word, "_batch") || word == "publish_batch" {
		return nil, nil, false
	}
	receipts, items, err := receiptsIn(given)
	if err != nil {
		return nil, err, true
	}
	switch word {
	case "ack_batch":
		var refusals []error
		refusals, err = q.AckBatch(ctx, receipts)
		answer = eachIn(refusals, func(refused error) any { return orError(arguments{}, refused) })
	case "cancel_batch":
		var refusals []error
		refusals, err = q.CancelBatch(ctx, receipts, text(given, "reason"))
		answer = eachIn(refusals, func(refused error) any { return orError(arguments{}, refused) })
	case "extend_batch":
		var settled []Settled
		settled, err = q.ExtendBatch(ctx, receipts, duration(given, "lease_ms"))
		answer = eachIn(settled, func(one Settled) any { return orError(instantNamed("lease_expires_at", one.At), one.Err) })
	case "defer_batch":
		deferrals := make([]Deferral, len(items))
		for at, item := range items {
			deferrals[at] = Deferral{receipts[at], duration(item, "delay_ms")}
		}
		var settled []Settled
		settled, err = q.DeferBatch(ctx, deferrals)
		answer = eachIn(settled, func(one Settled) any { return orError(instantNamed("ready_at", one.At), one.Err) })
	case "nack_batch":
		nacks := make([]Nack, len(items))
		for at, item := range items {
			nacks[at] = Nack{receipts[at], nackOptions(item)}
		}
		var nacked []Nacked
		nacked, err = q.NackBatch(ctx, nacks)
		answer = eachIn(nacked, func(one Nacked) any { return orError(nackedIn(one), one.Err) })
	default:
		return nil, nil, false
	}
	return answer, err, true
}

// performOne has the verbs that take one receipt.
func performOne(q *Queue, ctx context.Context, word string, given arguments) (answer any, err error, known bool) {
	if _, ok := given["receipt"]; !ok {
		return nil, nil, false
	}
	receipt, err := ParseReceipt(text(given, "receipt"))
	if err != nil {
		return nil, err, true
	}
	switch word {
	case "ack":
		if result, ok := given["result"].(arguments); ok {
			reply := as[Reply](result)
			reply.Payload = bytesIn(result)
			err = q.AckWithResult(ctx, receipt, reply)
		} else {
			err = q.Ack(ctx, receipt)
		}
	case "nack":
		options := nackOptions(given)
		var nacked Nacked
		nacked, err = q.Nack(ctx, receipt, &options)
		answer = nackedIn(nacked)
	case "extend":
		var at time.Time
		at, err = q.Extend(ctx, receipt, duration(given, "lease_ms"))
		answer = instantNamed("lease_expires_at", at)
	case "defer":
		var at time.Time
		at, err = q.Defer(ctx, receipt, duration(given, "delay_ms"))
		answer = instantNamed("ready_at", at)
	case "cancel":
		err = q.Cancel(ctx, receipt, text(given, "reason"))
	default:
		return nil, nil, false
	}
	return answer, err, true
}

func receiptsIn(given arguments) (receipts []Receipt, items []arguments, err error) {
	texts, _ := given["receipts"].([]any)
	list, _ := given["items"].([]any)
	for _, item := range list {
		items = append(items, item.(arguments))
		texts = append(texts, item.(arguments)["receipt"])
	}
	for _, text := range texts {
		receipt, err := ParseReceipt(text.(string))
		if err != nil {
			return nil, nil, err
		}
		receipts = append(receipts, receipt)
	}
	return receipts, items, nil
}

func nackOptions(given arguments) NackOptions {
	_, hasDelay := given["delay_ms"]
	delay := duration(given, "delay_ms")
	return NackOptions{
		Error: text(given, "error_text"), Delay: delay, Now: hasDelay && delay == 0, GiveUp: given["give_up"] == true,
	}
}

func newSubscribers(value any) (out []NewSubscriber) {
	list, _ := value.([]any)
	for _, item := range list {
		given := item.(arguments)
		subscriber := NewSubscriber{Name: text(given, "name"), Options: as[SubscriberOptions](given["options"])}
		if start := given["start"]; start != nil && start != "now" {
			place, err := placeOf(start)
			if err != nil {
				panic(err)
			}
			subscriber.Start = place
		}
		out = append(out, subscriber)
	}
	return out
}

func placeOf(value any) (Place, error) {
	switch value := value.(type) {
	case string:
		if value == "earliest" {
			return Earliest(), nil
		}
		return Latest(), nil
	case arguments:
		if at, ok := value["at"].(float64); ok {
			return At(time.UnixMilli(int64(at))), nil
		}
		if id, ok := value["message_id"].(string); ok {
			parsed, err := ParseID(id)
			return AtMessage(parsed), err
		}
		sequence := value["sequence"].(arguments)
		return AtSequence(int16(sequence["priority"].(float64)), uint64(sequence["sequence"].(float64))), nil
	}
	panic("no place")
}

func selectionOf(value any) (Selection, error) {
	given, ok := value.(arguments)
	if !ok {
		return All(), nil
	}
	if oldest, ok := given["oldest"].(float64); ok {
		return Oldest(uint64(oldest)), nil
	}
	var ids []ID
	for _, text := range given["ids"].([]any) {
		id, err := ParseID(text.(string))
		if err != nil {
			return Selection{}, err
		}
		ids = append(ids, id)
	}
	return IDs(ids...), nil
}

// taken is a setting of a change: the word none is zero behind the pointer.
func taken(options arguments, names ...string) arguments {
	out := arguments{}
	for name, value := range options {
		out[name] = value
	}
	for _, name := range names {
		if out[name] == "none" {
			out[name] = 0.0
		}
	}
	return out
}

func topicChange(options arguments) TopicChange {
	return as[TopicChange](taken(options, "ttl_ms"))
}

func subscriberChange(options arguments) SubscriberChange {
	given := taken(options, "leased_max", "leased_per_key_max")
	if given["rate"] == "none" {
		given["rate"] = arguments{}
	}
	noFilter := given["filter"] == "none"
	if noFilter {
		delete(given, "filter")
	}
	change := as[SubscriberChange](given)
	if noFilter {
		change.Filter = Ptr(Filter(""))
	}
	return change
}

func eachIn[T any](items []T, word func(T) any) []any {
	out := []any{}
	for _, item := range items {
		out = append(out, word(item))
	}
	return out
}

func orError(answer any, err error) any {
	var failure *Error
	if errors.As(err, &failure) {
		return arguments{"error": failure.Code.String()}
	}
	return answer
}

func instantNamed(name string, at time.Time) arguments {
	return arguments{name: at.UnixMilli()}
}

func nackedIn(nacked Nacked) arguments {
	answer := arguments{"state": string(nacked.State), "ready_at": nil}
	if !nacked.ReadyAt.IsZero() {
		answer["ready_at"] = nacked.ReadyAt.UnixMilli()
	}
	return answer
}

// Words for which the scripts say null where Go says zero.
var zeroIsNull = []string{
	"content_type", "correlation_id", "ordering_key", "idempotency_key", "error", "next", "ttl_ms", "leased_max",
	"leased_per_key_max", "messages", "bytes", "age_ms",
}

// inWords is an answer of this package as the scripts say it.
func inWords(answer any) any {
	if answer == nil {
		return arguments{}
	}
	var wire any
	switch answer := answer.(type) {
	case arguments, []any:
		wire = answer
	case []*Delivery:
		items := []any{}
		for _, delivery := range answer {
			items = append(items, toWire(reflect.ValueOf(delivery), true))
		}
		wire = items
	default:
		wire = toWire(reflect.ValueOf(answer), true)
	}
	text, err := json.Marshal(wire)
	if err != nil {
		panic(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	if result, ok := answer.(Result); ok && result.State != ResultReplied {
		return arguments{"state": string(result.State)}
	}
	return shiftInstants(withPayloads(out), "", -scriptStart.UnixMilli())
}

// withPayloads adds payloads as text where they are text, and says null for what is not there.
func withPayloads(value any) any {
	switch value := value.(type) {
	case []any:
		for at := range value {
			value[at] = withPayloads(value[at])
		}
	case map[string]any:
		for name, member := range value {
			value[name] = withPayloads(member)
		}
		for _, name := range zeroIsNull {
			if member := value[name]; member == "" || member == 0.0 {
				value[name] = nil
			}
		}
		if value["filter"] == "none" {
			value["filter"] = nil
		}
		if headers, ok := value["headers"]; ok && headers == nil {
			value["headers"] = arguments{}
		}
		if encoded, ok := value["payload_base64"].(string); ok {
			if payload, err := base64.StdEncoding.DecodeString(encoded); err == nil && utf8.Valid(payload) {
				value["payload"] = string(payload)
			}
		}
	}
	return value
}
