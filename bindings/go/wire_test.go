package blockqueue

import (
	"reflect"
	"testing"
	"time"
)

func TestTheNameOfAFieldSaysItsWord(t *testing.T) {
	type fields struct {
		ID              int
		MessageID       int
		TTLExpiredCount int
		TTL             time.Duration
		OnDead          string
		LeaseExpiresAt  time.Time
		OldestAge       *time.Duration
		Payload         []byte
		SQLite          string `wire:"sqlite"`
	}
	expected := []string{
		"id", "message_id", "ttl_expired_count", "ttl_ms", "on_dead", "lease_expires_at", "oldest_age_ms",
		"payload_base64", "sqlite",
	}
	kind := reflect.TypeFor[fields]()
	for at, name := range expected {
		if found := word(kind.Field(at)); found != name {
			t.Errorf("%s: %s", kind.Field(at).Name, found)
		}
	}
}

func TestSettingsLeaveOutWhatIsZero(t *testing.T) {
	for _, row := range []struct {
		settings any
		expected string
	}{
		{NewTopic{}, `{}`},
		{TopicChange{}, `{}`},
		{TopicChange{TTL: Ptr(time.Duration(0))}, `{"ttl_ms":"none"}`},
		{TopicChange{Retention: &Retention{}}, `{"retention":"none"}`},
		{TopicChange{Retention: &Retention{Count: 3}}, `{"retention":{"count":3}}`},
		{SubscriberChange{Ordered: Ptr(false), LeasedMax: Ptr(uint32(0))}, `{"leased_max":"none","ordered":false}`},
		{SubscriberChange{Rate: &RateLimit{}, Filter: Ptr(Filter(""))}, `{"filter":"none","rate":"none"}`},
		{SubscriberOptions{Retry: RetryPolicy{Jitter: Ptr(0.0)}}, `{"retry":{"jitter":0}}`},
		{SubscriberOptions{Filter: `{"header": "a"}`}, `{"filter":{"header":"a"}}`},
		{[]NewSubscriber{{Name: "s", Start: Earliest()}}, `[{"name":"s","start":"earliest"}]`},
		{seek{To: AtSequence(-1, 7)}, `{"to":{"sequence":{"priority":-1,"sequence":7}}}`},
		{purge{Which: Oldest(2)}, `{"which":{"oldest":2}}`},
		{ScheduleOptions{Cron: "@daily", Misfire: MisfireAll, MisfireLimit: 3}, `{"cron":"@daily","misfire":{"all":3}}`},
		{ScheduleOptions{StartAt: time.UnixMilli(5), Message: Text("x")}, `{"message":{"payload_base64":"eA=="},"start_at":5}`},
	} {
		found, err := encodeSettings(row.settings)
		if err != nil || found != row.expected {
			t.Errorf("%+v: %s, %v", row.settings, found, err)
		}
	}
	_, err := encodeSettings(SubscriberOptions{Filter: "no JSON"})
	refused(t, err, ErrInvalidArgument)
}

func TestABoundBelowAMillisecondIsNotNone(t *testing.T) {
	for given, expected := range map[time.Duration]int64{
		0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, -1: -1, -time.Second: -1000,
	} {
		if found := milliseconds(given); found != expected {
			t.Errorf("%v is %d", given, found)
		}
	}
}

func TestAnswersOfANewerLibraryAreRead(t *testing.T) {
	found, err := decodeAnswer[Topic]([]byte(`{"name": "t", "later": {"a": 1}, "options": {"ttl_ms": null, "retention": "none"}}`))
	if err != nil || found.Name != "t" || found.Options.TTL != 0 {
		t.Errorf("%+v %v", found, err)
	}
	_, err = decodeAnswer[Topic]([]byte(`no JSON`))
	refused(t, err, ErrInternal)
	_, err = decodeAnswer[Topic]([]byte(`{"name": 7}`))
	refused(t, err, ErrInternal)
}

func TestWhatIsSetIsWhatIsRead(t *testing.T) {
	queue := testQueue(t, ":memory:")
	options := SubscriberOptions{
		MaxAttempts: 7, Lease: time.Minute, ClaimLimit: 3, Ordered: true, OnDead: OnDeadBlock,
		Retry:  RetryPolicy{Initial: time.Second, Max: time.Minute, Multiplier: 1.5, Jitter: Ptr(0.0)},
		Filter: `{"equals":"order","header":"type"}`, OnExpiry: OnExpiryDeadLetter, LeasedMax: 4,
		Rate: &RateLimit{Count: 5, Interval: time.Second},
	}
	made, err := queue.CreateSubscribers(background, "t", NewSubscriber{Name: "full", Options: options})
	must(t, err)
	if !reflect.DeepEqual(made[0].Options, options) {
		t.Errorf("%+v", made[0].Options)
	}
	topic := TopicOptions{
		Retention: Retention{Duration: time.Hour}, IdempotencyWindow: time.Hour, TTL: time.Hour,
		BacklogLimit: BacklogLimit{Messages: 1, Bytes: 2, Age: time.Hour, Policy: BacklogDropOldest},
	}
	full, err := queue.CreateTopic(background, "full", &NewTopic{Options: topic})
	must(t, err)
	if full.Options != topic || time.Since(full.CreatedAt) > time.Minute {
		t.Errorf("%+v", full)
	}
	changed, err := queue.UpdateTopic(background, "full", TopicChange{TTL: Ptr(time.Duration(0)), Retention: &Retention{}})
	must(t, err)
	if changed.Options.TTL != 0 || changed.Options.Retention != (Retention{}) || changed.Options.IdempotencyWindow != time.Hour {
		t.Errorf("%+v", changed)
	}
	names := map[string]bool{}
	for topic, err := range queue.AllTopics(background) {
		must(t, err)
		names[topic.Name] = true
	}
	if !names["t"] || !names["full"] || len(names) != 2 {
		t.Errorf("%v", names)
	}
	for _, err := range queue.AllSubscribers(background, "nowhere") {
		refused(t, err, ErrUnknownTopic)
	}
}
