//go:build blockqueue_testclock

package blockqueue

import (
	"context"
	"encoding/base64"
	"fmt"
	"reflect"
	"time"
)

type arguments = map[string]any

// as reads a value of a script as the package's type for it.
func as[T any](value any) T {
	var out T
	if err := fromWire(value, reflect.ValueOf(&out).Elem()); err != nil {
		panic(fmt.Sprintf("%T of %v: %v", out, value, err))
	}
	return out
}

func text(given arguments, name string) string {
	value, _ := given[name].(string)
	return value
}

func duration(given arguments, name string) time.Duration {
	value, _ := given[name].(float64)
	return time.Duration(value) * time.Millisecond
}

// perform calls the method that a word means.
func (r *runner) perform(word string, given arguments) (any, error) {
	if word == "reopen" {
		if err := r.queue.Close(); err != nil {
			return nil, err
		}
		return nil, r.open()
	}
	for _, family := range []func(*Queue, context.Context, string, arguments) (any, error, bool){
		performTopic, performSubscriber, performPublish, performSettle, performOne, performLetters, performSchedule,
	} {
		if answer, err, known := family(r.queue, context.Background(), word, given); known {
			return answer, err
		}
	}
	panic("no operation " + word)
}

func performTopic(q *Queue, ctx context.Context, word string, given arguments) (answer any, err error, known bool) {
	topic := text(given, "topic")
	switch word {
	case "create_topic":
		how := NewTopic{Options: as[TopicOptions](given["options"]), Subscribers: newSubscribers(given["subscribers"])}
		answer, err = q.CreateTopic(ctx, topic, &how)
	case "topic":
		answer, err = q.Topic(ctx, topic)
	case "topics":
		answer, err = q.Topics(ctx, as[*Page](given))
	case "update_topic":
		answer, err = q.UpdateTopic(ctx, topic, topicChange(given["options"].(arguments)))
	case "delete_topic":
		err = q.DeleteTopic(ctx, topic)
	case "pause_topic":
		err = q.PauseTopic(ctx, topic)
	case "resume_topic":
		err = q.ResumeTopic(ctx, topic)
	case "topic_stats":
		answer, err = q.TopicStats(ctx, topic)
	case "shutdown":
		err = q.Close()
	default:
		return nil, nil, false
	}
	return answer, err, true
}

func performSubscriber(q *Queue, ctx context.Context, word string, given arguments) (answer any, err error, known bool) {
	topic, subscriber := text(given, "topic"), text(given, "subscriber")
	switch word {
	case "create_subscribers":
		answer, err = q.CreateSubscribers(ctx, topic, newSubscribers(given["subscribers"])...)
	case "subscriber":
		answer, err = q.Subscriber(ctx, topic, subscriber)
	case "subscribers":
		answer, err = q.Subscribers(ctx, topic, as[*Page](given))
	case "update_subscriber":
		answer, err = q.UpdateSubscriber(ctx, topic, subscriber, subscriberChange(given["options"].(arguments)))
	case "delete_subscriber":
		err = q.DeleteSubscriber(ctx, topic, subscriber)
	case "pause_subscriber":
		err = q.PauseSubscriber(ctx, topic, subscriber)
	case "resume_subscriber":
		err = q.ResumeSubscriber(ctx, topic, subscriber)
	case "subscriber_stats":
		answer, err = q.SubscriberStats(ctx, topic, subscriber)
	case "peek":
		answer, err = q.Peek(ctx, topic, subscriber, as[*Page](given))
	case "seek":
		seek := q.Seek
		if given["dry_run"] == true {
			seek = q.SeekDryRun
		}
		place, wrong := placeOf(given["to"])
		if wrong != nil {
			return nil, wrong, true
		}
		answer, err = seek(ctx, topic, subscriber, place)
	default:
		return nil, nil, false
	}
	return answer, err, true
}

func performPublish(q *Queue, ctx context.Context, word string, given arguments) (answer any, err error, known bool) {
	topic, subscriber := text(given, "topic"), text(given, "subscriber")
	switch word {
	case "publish":
		answer, err = q.Publish(ctx, topic, messageOf(given["message"]))
	case "publish_batch":
		var messages []Message
		for _, message := range given["messages"].([]any) {
			messages = append(messages, messageOf(message))
		}
		answer, err = q.PublishBatch(ctx, topic, messages)
	case "claim":
		answer, err = q.Claim(ctx, topic, subscriber, as[*ClaimOptions](given))
	case "claim_any":
		answer, err = q.ClaimAny(ctx, as[[]Source](given["sources"]), as[*ClaimOptions](given))
	case "message":
		id, wrong := ParseID(text(given, "message_id"))
		if wrong != nil {
			return nil, wrong, true
		}
		answer, err = q.Message(ctx, topic, id)
	case "cancel_message":
		id, wrong := ParseID(text(given, "message_id"))
		if wrong != nil {
			return nil, wrong, true
		}
		answer, err = q.CancelMessage(ctx, topic, id)
	case "cancel_delivery":
		id, wrong := ParseID(text(given, "message_id"))
		if wrong != nil {
			return nil, wrong, true
		}
		err = q.CancelDelivery(ctx, topic, subscriber, id, text(given, "reason"))
	case "result":
		id, wrong := ParseID(text(given, "message_id"))
		if wrong != nil {
			return nil, wrong, true
		}
		answer, err = q.Result(ctx, topic, subscriber, id, duration(given, "wait_ms"))
	default:
		return nil, nil, false
	}
	return answer, err, true
}

func performLetters(q *Queue, ctx context.Context, word string, given arguments) (answer any, err error, known bool) {
	topic, subscriber := text(given, "topic"), text(given, "subscriber")
	var which Selection
	if given["which"] != nil {
		if which, err = selectionOf(given["which"]); err != nil {
			return nil, err, true
		}
	}
	var count uint64
	switch word {
	case "dead_letters":
		answer, err = q.DeadLetters(ctx, topic, subscriber, as[*Page](given))
	case "failures":
		id, wrong := ParseID(text(given, "message_id"))
		if wrong != nil {
			return nil, wrong, true
		}
		answer, err = q.Failures(ctx, topic, subscriber, id, as[*Page](given))
	case "redrive":
		rate, _ := given["rate"].(float64)
		options := RedriveOptions{
			Which: which, Filter: as[Filter](given["filter"]), To: text(given, "to"), Rate: rate,
			DryRun: given["dry_run"] == true,
		}
		count, err = q.Redrive(ctx, topic, subscriber, &options)
		answer = counted{count}
	case "purge_dead_letters":
		options := PurgeOptions{Filter: as[Filter](given["filter"]), DryRun: given["dry_run"] == true}
		count, err = q.PurgeDeadLetters(ctx, topic, subscriber, which, &options)
		answer = counted{count}
	default:
		return nil, nil, false
	}
	return answer, err, true
}

func performSchedule(q *Queue, ctx context.Context, word string, given arguments) (answer any, err error, known bool) {
	topic, schedule := text(given, "topic"), text(given, "schedule")
	switch word {
	case "create_schedule":
		answer, err = q.CreateSchedule(ctx, topic, schedule, scheduleOptions(given["options"]))
	case "schedule":
		answer, err = q.Schedule(ctx, topic, schedule)
	case "schedules":
		answer, err = q.Schedules(ctx, topic, as[*Page](given))
	case "update_schedule":
		version := uint64(given["version"].(float64))
		answer, err = q.UpdateSchedule(ctx, topic, schedule, version, scheduleOptions(given["options"]))
	case "delete_schedule":
		err = q.DeleteSchedule(ctx, topic, schedule)
	case "pause_schedule":
		err = q.PauseSchedule(ctx, topic, schedule)
	case "resume_schedule":
		err = q.ResumeSchedule(ctx, topic, schedule)
	case "run_schedule_now":
		answer, err = q.RunScheduleNow(ctx, topic, schedule)
	case "schedule_runs":
		answer, err = q.ScheduleRuns(ctx, topic, schedule, as[*Page](given))
	default:
		return nil, nil, false
	}
	return answer, err, true
}

// bytesIn are those of a member named payload or payload_base64.
func bytesIn(given arguments) []byte {
	if encoded, ok := given["payload_base64"].(string); ok {
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			panic(err)
		}
		return decoded
	}
	return []byte(text(given, "payload"))
}

func messageOf(value any) Message {
	given, _ := value.(arguments)
	message := as[Message](value)
	message.Payload = bytesIn(given)
	return message
}

func scheduleOptions(value any) ScheduleOptions {
	options := as[ScheduleOptions](value)
	options.Message = messageOf(value.(arguments)["message"])
	return options
}
