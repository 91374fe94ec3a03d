-- ?1 schedule, ?2 what waits, ?3 and ?4 the newest message, ?5 the number of the newest run. Primary key.
UPDATE blockqueue_schedule
   SET queued_at = ?2, message_id = ?3, message_at = ?4, run_seq = ?5
 WHERE id = ?1;
