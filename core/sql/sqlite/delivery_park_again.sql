-- ?1 message, ?2 subscriber, ?3 attempts, ?4 when its message expires, ?5 ordering key if it had none.
UPDATE blockqueue_delivery
   SET state = 3, lease_id = NULL, ready_at = NULL, attempts = ?3, expires_at = ?4,
       ordering_key = coalesce(ordering_key, ?5)
 WHERE message_id = ?1 AND subscriber_id = ?2;
