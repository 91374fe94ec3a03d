-- ?1 key, ?2 time, ?3 position, ?4 key of the delayed message.
INSERT INTO blockqueue_message (id, published_at, position, origin, accepted_at, content_type,
                                headers, correlation_id, idempotency_key, ordering_key, expires_at,
                                payload)
SELECT ?1, ?2, ?3, id, accepted_at, content_type, headers, correlation_id, idempotency_key,
       ordering_key, expires_at, payload
  FROM blockqueue_delayed
 WHERE id = ?4;
