-- When the next occurrence is due, and whether any waits for another. Indexes blockqueue_schedule_due and
-- blockqueue_schedule_queued.
SELECT (SELECT due_at FROM blockqueue_schedule WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1),
       EXISTS (SELECT 1 FROM blockqueue_schedule WHERE queued_at IS NOT NULL AND paused = 0);
