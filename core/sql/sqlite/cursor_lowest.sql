-- ?1 topic, ?2 log. NULL if the topic has no subscriber; no cursor counts as 0.
-- Index blockqueue_subscriber_name, then the key of the cursor.
SELECT min(coalesce(c.seq, 0))
  FROM blockqueue_subscriber s
  LEFT JOIN blockqueue_cursor c ON c.subscriber_id = s.id AND c.log_id = ?2
 WHERE s.topic_id = ?1 AND s.deleted_at IS NULL;
