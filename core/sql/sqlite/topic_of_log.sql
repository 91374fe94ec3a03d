-- ?1 log.
SELECT topic_id FROM blockqueue_log WHERE id = ?1;
