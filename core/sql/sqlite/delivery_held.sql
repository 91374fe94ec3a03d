-- ?1 key to be above, ?2 last key, ?3 topic. What deliveries of live subscribers hold back; some of it more than once.
-- Index blockqueue_subscriber_name, then a range of the primary key for each subscriber.
SELECT d.message_id
  FROM blockqueue_subscriber s
  JOIN blockqueue_delivery d ON d.subscriber_id = s.id
 WHERE s.topic_id = ?3 AND s.deleted_at IS NULL AND d.message_id > ?1 AND d.message_id <= ?2;
