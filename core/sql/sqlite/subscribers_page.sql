-- ?1 topic, ?2 name to be after, ?3 how many. Index blockqueue_subscriber_name.
SELECT id, name
  FROM blockqueue_subscriber
 WHERE topic_id = ?1 AND deleted_at IS NULL AND name > ?2
 ORDER BY name
 LIMIT ?3;
