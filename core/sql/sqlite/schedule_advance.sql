-- ?1 schedule, ?2 its next occurrence as it was read, ?3 the next one now, ?4 when that is due, ?5 the newest
-- decided about. Nothing happens if the next occurrence is another by now. Primary key.
UPDATE blockqueue_schedule SET next_at = ?3, due_at = ?4, last_at = ?5 WHERE id = ?1 AND next_at = ?2;
