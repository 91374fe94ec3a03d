-- ?1 topic, ?2 now. Index blockqueue_subscriber_name.
UPDATE blockqueue_subscriber SET deleted_at = ?2 WHERE topic_id = ?1 AND deleted_at IS NULL;
