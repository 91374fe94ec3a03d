-- ?1 subscriber, ?2 how many. Index blockqueue_delivery_dead.
SELECT message_id, failures
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND state = 4
 ORDER BY ready_at, message_id
 LIMIT ?2;
