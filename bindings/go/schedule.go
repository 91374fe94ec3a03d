package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_schedule_create
// #cgo nocallback bq_schedule_get
// #cgo nocallback bq_schedule_list
// #cgo nocallback bq_schedule_update
// #cgo nocallback bq_schedule_delete
// #cgo nocallback bq_schedule_pause
// #cgo nocallback bq_schedule_resume
// #cgo nocallback bq_schedule_run
// #cgo nocallback bq_schedule_runs
import "C"

import (
	"context"
	"iter"
)

// CreateSchedule creates a schedule, which publishes its message to the topic at each occurrence.
func (q *Queue) CreateSchedule(
	ctx context.Context, topic, schedule string, options ScheduleOptions,
) (Schedule, error) {
	settings, err := encodeSettings(options)
	if err != nil {
		return Schedule{}, err
	}
	return ask[Schedule](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_schedule_create(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule),
			chars(settings), length(settings), answer, refused)
	})
}

// Schedule looks a schedule up.
func (q *Queue) Schedule(ctx context.Context, topic, schedule string) (Schedule, error) {
	return ask[Schedule](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_schedule_get(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule), answer, refused)
	})
}

// Schedules is a page of the schedules of a topic, by name. Page may be nil.
func (q *Queue) Schedules(ctx context.Context, topic string, page *Page) (Listed[Schedule], error) {
	at := page.given()
	return ask[Listed[Schedule]](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_schedule_list(
			q.handle, chars(topic), length(topic),
			C.size_t(at.Limit), optional(at.After), length(at.After), answer, refused)
	})
}

// AllSchedules is every schedule of a topic, by name. It ends with the first error.
func (q *Queue) AllSchedules(ctx context.Context, topic string) iter.Seq2[Schedule, error] {
	return pages(func(page Page) (Listed[Schedule], error) { return q.Schedules(ctx, topic, &page) })
}

// UpdateSchedule replaces the options of a schedule that still has this version; else it fails with
// [ErrStaleVersion].
func (q *Queue) UpdateSchedule(
	ctx context.Context, topic, schedule string, version uint64, options ScheduleOptions,
) (Schedule, error) {
	settings, err := encodeSettings(options)
	if err != nil {
		return Schedule{}, err
	}
	return ask[Schedule](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_schedule_update(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule), C.uint64_t(version),
			chars(settings), length(settings), answer, refused)
	})
}

// DeleteSchedule deletes a schedule. What it published stays.
func (q *Queue) DeleteSchedule(ctx context.Context, topic, schedule string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_schedule_delete(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule), refused)
	})
}

// PauseSchedule stops a schedule.
func (q *Queue) PauseSchedule(ctx context.Context, topic, schedule string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_schedule_pause(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule), refused)
	})
}

// ResumeSchedule lets it go on, with the next occurrence from now.
func (q *Queue) ResumeSchedule(ctx context.Context, topic, schedule string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_schedule_resume(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule), refused)
	})
}

// RunScheduleNow publishes the schedule's message now, whatever its times.
func (q *Queue) RunScheduleNow(ctx context.Context, topic, schedule string) (ScheduleRun, error) {
	return ask[ScheduleRun](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_schedule_run(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule), answer, refused)
	})
}

// ScheduleRuns is a page of a schedule's history, newest first. Page may be nil.
func (q *Queue) ScheduleRuns(ctx context.Context, topic, schedule string, page *Page) (Listed[ScheduleRun], error) {
	at := page.given()
	return ask[Listed[ScheduleRun]](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_schedule_runs(
			q.handle, chars(topic), length(topic), chars(schedule), length(schedule),
			C.size_t(at.Limit), optional(at.After), length(at.After), answer, refused)
	})
}
