-- ?1 schedule, ?2 run to be before, ?3 how many. Primary key, backwards.
SELECT run, status, occurrence_at, until_at, at, message_id, message_at, error
  FROM blockqueue_schedule_run
 WHERE schedule_id = ?1 AND run < ?2
 ORDER BY run DESC
 LIMIT ?3;
