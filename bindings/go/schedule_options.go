package blockqueue

import "time"

// Misfire says what becomes of occurrences that were missed, because no process had the queue open.
type Misfire string

const (
	// MisfireOnce makes up for all of them by one. The default.
	MisfireOnce Misfire = "once"
	// MisfireSkip leaves them out.
	MisfireSkip Misfire = "skip"
	// MisfireAll makes up for each, up to MisfireLimit.
	MisfireAll Misfire = "all"
)

// Overlap says what an occurrence does while some subscriber is not done with the message of the one before.
type Overlap string

const (
	// OverlapSkip leaves it out. The default.
	OverlapSkip Overlap = "skip"
	// OverlapAllow publishes all the same.
	OverlapAllow Overlap = "allow"
	// OverlapQueue publishes one when the one before is done.
	OverlapQueue Overlap = "queue"
)

// ScheduleOptions are the settings of a schedule. Zero means the default; only Cron is needed.
type ScheduleOptions struct {
	// Five or six fields, "@daily" and its like, or "@every 90s".
	Cron string
	// A name of the time zone database. Default UTC.
	Timezone string
	// What is published. It cannot have a delay, a time, an idempotency key or a unique key.
	Message Message
	// What becomes of occurrences that were missed.
	Misfire Misfire
	// How many of them MisfireAll makes up for.
	MisfireLimit uint32
	// What an occurrence does while the one before is not done.
	Overlap Overlap
	// No occurrence is earlier.
	StartAt time.Time
	// No occurrence is later.
	EndAt time.Time
	// Each occurrence is put off by chance, by up to this long.
	Jitter time.Duration
	// An occurrence that is later than this counts as missed. Default 1 min.
	Grace time.Duration
}

// Schedule publishes a message to its topic again and again.
type Schedule struct {
	Topic string
	Name  string
	// Grows with every change.
	Version uint64
	Paused  bool
	// The next occurrence, before jitter; zero if there will be none.
	NextAt time.Time
	// When it is due, with jitter.
	DueAt time.Time
	// The occurrence that was published last.
	LastAt time.Time
	// The occurrence that waits until the one before is done.
	QueuedAt  time.Time
	CreatedAt time.Time
	Options   ScheduleOptions
}

// RunStatus says what became of an occurrence.
type RunStatus string

const (
	// RunFired: published.
	RunFired RunStatus = "fired"
	// RunManual: published by [Queue.RunScheduleNow].
	RunManual RunStatus = "manual"
	// RunQueued: waits until the one before is done.
	RunQueued RunStatus = "queued"
	// RunSkippedMisfire: missed, and left out.
	RunSkippedMisfire RunStatus = "skipped_misfire"
	// RunSkippedOverlap: left out while the one before was not done.
	RunSkippedOverlap RunStatus = "skipped_overlap"
	// RunRefused: the topic refused the message.
	RunRefused RunStatus = "refused"
	// RunStopped: the schedule was stopped, because it cannot go on.
	RunStopped RunStatus = "stopped"
)

// ScheduleRun is an entry of a schedule's history.
type ScheduleRun struct {
	// Its number, from 1.
	Run    uint64
	Status RunStatus
	// The occurrence, or the first of those that the entry stands for; zero for a manual one.
	OccurrenceAt time.Time
	// The last of those that the entry stands for, if there are more than one.
	UntilAt time.Time
	// When it happened.
	At time.Time
	// What was published; nil if nothing was.
	MessageID *ID
	Error     string
}

func (o ScheduleOptions) wireOut(members map[string]any) any {
	if o.Misfire == MisfireAll {
		members["misfire"] = map[string]any{"all": o.MisfireLimit}
	}
	delete(members, "misfire_limit")
	return members
}

func (o *ScheduleOptions) wireIn(found any) any {
	members, _ := found.(map[string]any)
	if all, ok := members["misfire"].(map[string]any); ok {
		members["misfire"], members["misfire_limit"] = "all", all["all"]
	}
	return found
}
