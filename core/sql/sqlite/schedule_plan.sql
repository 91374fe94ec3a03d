-- ?1 schedule, ?2 paused, ?3 its next occurrence, ?4 when that is due. Primary key.
UPDATE blockqueue_schedule SET paused = ?2, next_at = ?3, due_at = ?4 WHERE id = ?1;
