-- ?1 subscriber, ?2 key to be after. Index blockqueue_delivery_key.
SELECT ordering_key
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND ordering_key > ?2
 ORDER BY ordering_key
 LIMIT 1;
