-- ?1 message, ?2 topic. Index blockqueue_subscriber_name, then the primary key for each subscriber.
SELECT 1
  FROM blockqueue_subscriber s
  JOIN blockqueue_delivery d ON d.subscriber_id = s.id AND d.message_id = ?1
 WHERE s.topic_id = ?2 AND s.deleted_at IS NULL
 LIMIT 1;
