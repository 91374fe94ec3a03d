-- Index blockqueue_schedule_queued: nothing but what waits, the oldest occurrence first.
SELECT id, topic_id, message_id
  FROM blockqueue_schedule
 WHERE queued_at IS NOT NULL AND paused = 0
 ORDER BY queued_at;
