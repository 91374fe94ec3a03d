-- ?1 message, ?2 subscriber, ?3 lease, ?4 attempts.
UPDATE blockqueue_delivery
   SET state = 1, lease_id = ?3, attempts = ?4, ready_at = NULL, expires_at = NULL
 WHERE message_id = ?1 AND subscriber_id = ?2;
