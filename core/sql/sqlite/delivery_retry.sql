-- ?1 message, ?2 subscriber, ?3 lease whose receipt lives on, ?4 when, ?5 attempts, ?6 failures,
-- ?7 when its message expires.
UPDATE blockqueue_delivery
   SET state = 2, lease_id = ?3, ready_at = ?4, attempts = ?5, failures = ?6, expires_at = ?7
 WHERE message_id = ?1 AND subscriber_id = ?2;
