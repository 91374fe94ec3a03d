-- ?1 message, ?2 subscriber, ?3 now, ?4 failures.
UPDATE blockqueue_delivery
   SET state = 4, lease_id = NULL, ready_at = ?3, failures = ?4, expires_at = NULL
 WHERE message_id = ?1 AND subscriber_id = ?2;
