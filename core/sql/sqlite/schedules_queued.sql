-- Index blockqueue_schedule_queued: nothing but what waits.
SELECT id, topic_id, message_id
  FROM blockqueue_schedule INDEXED BY blockqueue_schedule_queued
 WHERE queued_at IS NOT NULL AND paused = 0
 ORDER BY id;
