-- ?1 topic. Index blockqueue_log_topic.
SELECT id, kind FROM blockqueue_log WHERE topic_id = ?1 ORDER BY id LIMIT 1;
