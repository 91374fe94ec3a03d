-- ?1 key, ?2 topic, ?3 priority, ?4 due, ?5 accepted, ?6 size, ?7 to ?13 the rest.
INSERT INTO blockqueue_delayed (id, topic_id, priority, due_at, accepted_at, size_bytes, content_type,
                                headers, correlation_id, idempotency_key, ordering_key, expires_at,
                                payload)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13);
