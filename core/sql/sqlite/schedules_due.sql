-- ?1 now, ?2 how many. Index blockqueue_schedule_due.
SELECT id FROM blockqueue_schedule WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2;
