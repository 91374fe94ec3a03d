-- ?1 topic.
SELECT created_at FROM blockqueue_topic WHERE id = ?1;
