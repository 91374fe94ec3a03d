-- ?1 key, ?2 time, ?3 position, ?4 payload. What most messages are.
INSERT INTO blockqueue_message (id, published_at, position, payload) VALUES (?1, ?2, ?3, ?4);
