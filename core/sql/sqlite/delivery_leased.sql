-- ?1 message, ?2 subscriber. Only if a receipt may be live.
SELECT state, lease_id, attempts, failures, ordering_key
  FROM blockqueue_delivery
 WHERE message_id = ?1 AND subscriber_id = ?2 AND lease_id IS NOT NULL;
