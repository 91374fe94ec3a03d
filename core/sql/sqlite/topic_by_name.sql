-- ?1 name. Index blockqueue_topic_name.
SELECT id FROM blockqueue_topic WHERE name = ?1 AND deleted_at IS NULL;
