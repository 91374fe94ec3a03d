-- ?1 name, ?2 now. Its settings follow.
INSERT INTO blockqueue_topic (name, created_at, idempotency_ms) VALUES (?1, ?2, 0);
