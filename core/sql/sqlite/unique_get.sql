-- ?1 topic, ?2 key. Primary key.
SELECT message_id, accepted_at FROM blockqueue_unique WHERE topic_id = ?1 AND key = ?2;
