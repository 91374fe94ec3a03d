-- ?1 topic, ?2 key, ?3 when to look.
UPDATE blockqueue_unique SET look_at = ?3 WHERE topic_id = ?1 AND key = ?2;
