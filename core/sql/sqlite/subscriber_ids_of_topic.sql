-- ?1 topic. Index blockqueue_subscriber_name.
SELECT id FROM blockqueue_subscriber WHERE topic_id = ?1 AND deleted_at IS NULL ORDER BY name;
