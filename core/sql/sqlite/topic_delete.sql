-- ?1 topic, ?2 now.
UPDATE blockqueue_topic SET deleted_at = ?2 WHERE id = ?1;
