-- ?1 key.
SELECT id, published_at, origin, accepted_at, content_type, headers, correlation_id, idempotency_key,
       ordering_key, expires_at, payload
  FROM blockqueue_message
 WHERE id = ?1;
