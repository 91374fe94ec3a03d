-- ?1 subscriber, ?2 how many. Deliveries that have a key, which are never empty. Index blockqueue_delivery_key.
SELECT message_id, state
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND ordering_key > ''
 ORDER BY ordering_key
 LIMIT ?2;
