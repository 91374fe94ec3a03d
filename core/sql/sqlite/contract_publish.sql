-- ?1 topic, ?2 payload, ?3 content type, ?4 headers, ?5 correlation id, ?6 priority, ?7 delay,
-- ?8 time of delivery, ?9 idempotency key, ?10 ordering key, ?11 life, ?12 unique key. The columns of docs/sql.md.
INSERT INTO blockqueue_publish (topic, payload, content_type, headers, correlation_id, priority, delay_ms,
                                deliver_at, idempotency_key, ordering_key, ttl_ms, unique_key)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12);
