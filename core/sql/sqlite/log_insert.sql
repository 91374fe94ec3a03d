-- ?1 topic, ?2 kind, ?3 priority.
INSERT INTO blockqueue_log (topic_id, kind, priority) VALUES (?1, ?2, ?3);
