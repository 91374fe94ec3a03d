-- ?1 subscriber, ?2 priority. Index blockqueue_delivery_retry.
SELECT ready_at
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND state = 2 AND priority = ?2
 ORDER BY ready_at
 LIMIT 1;
