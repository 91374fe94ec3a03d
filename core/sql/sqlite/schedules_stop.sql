-- ?1 topic: it was deleted. Index blockqueue_schedule_name.
UPDATE blockqueue_schedule SET next_at = NULL, due_at = NULL, queued_at = NULL WHERE topic_id = ?1;
