-- ?1 message, ?2 subscriber, ?3 lease.
UPDATE blockqueue_delivery
   SET state = 1, lease_id = ?3, ready_at = NULL, expires_at = NULL
 WHERE message_id = ?1 AND subscriber_id = ?2;
