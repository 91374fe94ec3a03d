-- ?1 topic, ?2 key.
DELETE FROM blockqueue_unique WHERE topic_id = ?1 AND key = ?2;
