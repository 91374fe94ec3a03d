-- ?1 topic, ?2 name. Index blockqueue_subscriber_name.
SELECT id FROM blockqueue_subscriber WHERE topic_id = ?1 AND name = ?2 AND deleted_at IS NULL;
