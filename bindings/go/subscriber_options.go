package blockqueue

import (
	"encoding/json"
	"time"
)

// RetryPolicy says how long a failed delivery waits for its next attempt: Initial after the first failure, and each
// time Multiplier as long, up to Max. Zero means the default.
type RetryPolicy struct {
	// Default 1 s.
	Initial time.Duration
	// Default 1 h.
	Max time.Duration
	// At least 1. Default 2.
	Multiplier float64
	// The share of the wait that is left to chance, from 0 to 1. Default 0.2.
	Jitter *float64
}

// RateLimit bounds how many deliveries a subscriber gets per interval.
type RateLimit struct {
	Count    uint32
	Interval time.Duration
}

// OnDead says what an ordering key does behind a dead letter.
type OnDead string

const (
	// OnDeadSkip goes on with the next message of the key. The default.
	OnDeadSkip OnDead = "skip"
	// OnDeadBlock holds the key back until the dead letter is redriven or purged.
	OnDeadBlock OnDead = "block"
)

// OnExpiry says what becomes of a delivery whose message expires.
type OnExpiry string

const (
	// OnExpirySkip settles it. The default.
	OnExpirySkip OnExpiry = "skip"
	// OnExpiryDeadLetter keeps it as a dead letter.
	OnExpiryDeadLetter OnExpiry = "dead_letter"
)

// Filter is a condition on messages as JSON, such as {"header": "country", "equals": "NL"}; docs/consumers.md has all.
// Empty: every message.
type Filter string

// SubscriberOptions are the settings of a subscriber. Zero means the default.
type SubscriberOptions struct {
	// Attempts before a delivery becomes a dead letter. Default 5.
	MaxAttempts uint32
	// How long deliveries are leased if the claim does not say. Default 30 s.
	Lease time.Duration
	// How many deliveries a claim gets if it does not say. Default 10.
	ClaimLimit uint32
	// How long failed deliveries wait.
	Retry RetryPolicy
	// Messages of one ordering key are delivered one at a time, in order.
	Ordered bool
	// What an ordering key does behind a dead letter.
	OnDead OnDead
	// Which messages it gets. Default: all.
	Filter Filter
	// What becomes of a delivery whose message expires.
	OnExpiry OnExpiry
	// Most deliveries leased at once. Default: no limit.
	LeasedMax uint32
	// Most deliveries per interval. Default: no limit.
	Rate *RateLimit
	// Most deliveries of one ordering key leased at once, without order. Default: no limit.
	LeasedPerKeyMax uint32
}

// SubscriberChange are settings to change: what is nil stays as it was. A filter or a limit that is zero behind its
// pointer is taken back.
type SubscriberChange struct {
	MaxAttempts     *uint32
	Lease           *time.Duration
	ClaimLimit      *uint32
	Retry           *RetryPolicy
	Ordered         *bool
	OnDead          *OnDead
	Filter          *Filter
	OnExpiry        *OnExpiry
	LeasedMax       *uint32
	Rate            *RateLimit
	LeasedPerKeyMax *uint32
}

// Ptr is a pointer to a value, for settings to change.
func Ptr[T any](value T) *T { return &value }

// NewSubscriber says how to create a subscriber.
type NewSubscriber struct {
	Name    string
	Options SubscriberOptions
	// Where it begins: [Earliest] or [At]. Default: with the next message that is published.
	Start Place
}

// Subscriber is a named reader of a topic, which gets its own delivery of each message.
type Subscriber struct {
	ID        int64
	Topic     string
	Name      string
	Paused    bool
	CreatedAt time.Time
	Options   SubscriberOptions
}

// Place is a place in a topic, from [Earliest], [Latest], [At], [AtMessage] or [AtSequence].
type Place struct{ words any }

// Earliest is before the oldest message that is kept.
func Earliest() Place { return Place{"earliest"} }

// Latest is behind the newest message.
func Latest() Place { return Place{"latest"} }

// At is before the first message that was published at this time or later.
func At(at time.Time) Place { return Place{map[string]any{"at": at.UnixMilli()}} }

// AtMessage is before this message.
func AtMessage(id ID) Place { return Place{map[string]any{"message_id": id}} }

// AtSequence is before the message of this number among those of a priority.
func AtSequence(priority int16, sequence uint64) Place {
	return Place{map[string]any{"sequence": map[string]any{"priority": priority, "sequence": sequence}}}
}

func (p Place) wireOut(map[string]any) any { return p.words }

func (f Filter) wireOut(map[string]any) any {
	if f == "" {
		return "none"
	}
	return json.RawMessage(f)
}

func (f *Filter) wireIn(found any) any {
	text, err := json.Marshal(found)
	if err != nil {
		return found
	}
	return string(text)
}

func (c SubscriberChange) wireOut(members map[string]any) any {
	noneIfZero(members, "leased_max", "leased_per_key_max")
	if c.Rate != nil && *c.Rate == (RateLimit{}) {
		members["rate"] = "none"
	}
	return members
}
