-- ?1 subscriber, ?2 ordering key. The parked delivery that is next. Index blockqueue_delivery_key.
SELECT message_id
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND ordering_key = ?2 AND state = 3 AND lease_id IS NULL
 ORDER BY message_id
 LIMIT 1;
