-- ?1 topic, ?2 key, ?3 message, ?4 accepted, ?5 when to look. Replaces a settled one.
INSERT OR REPLACE INTO blockqueue_unique (topic_id, key, message_id, accepted_at, look_at)
VALUES (?1, ?2, ?3, ?4, ?5);
