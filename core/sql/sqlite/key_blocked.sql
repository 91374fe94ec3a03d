-- ?1 subscriber, ?2 ordering key, ?3 message. A dead letter before it. Index blockqueue_delivery_key.
SELECT 1
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND ordering_key = ?2 AND state = 4 AND lease_id IS NULL AND message_id < ?3
 LIMIT 1;
