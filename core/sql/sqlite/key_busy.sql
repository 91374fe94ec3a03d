-- ?1 subscriber, ?2 ordering key, ?3 message that is not meant, ?4 whether parked ones count. Leased, or waiting
-- for an attempt. Index blockqueue_delivery_key.
SELECT 1
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND ordering_key = ?2 AND state IN (1, 2, CASE WHEN ?4 THEN 3 ELSE 1 END)
   AND message_id <> ?3
 LIMIT 1;
