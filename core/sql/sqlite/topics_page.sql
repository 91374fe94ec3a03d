-- ?1 name to be after, ?2 how many. Index blockqueue_topic_name.
SELECT id, name
  FROM blockqueue_topic
 WHERE deleted_at IS NULL AND name > ?1
 ORDER BY name
 LIMIT ?2;
