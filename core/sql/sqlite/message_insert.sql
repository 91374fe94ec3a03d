-- ?1 key, ?2 time, ?3 position, ?4 to ?12 the rest.
INSERT INTO blockqueue_message (id, published_at, position, origin, accepted_at, content_type,
                                headers, correlation_id, idempotency_key, ordering_key, expires_at,
                                payload)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12);
