-- ?1 log, ?2 topic. Primary key.
SELECT 1 FROM blockqueue_log WHERE id = ?1 AND topic_id = ?2;
