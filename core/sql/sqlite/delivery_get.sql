-- ?1 message, ?2 subscriber.
SELECT state, lease_id, attempts, failures, ready_at, ordering_key
  FROM blockqueue_delivery
 WHERE message_id = ?1 AND subscriber_id = ?2;
