-- ?1 key. The columns of claim_new.sql. Primary key.
SELECT id, published_at, origin, accepted_at, content_type, headers, correlation_id, payload,
       ordering_key, expires_at
  FROM blockqueue_message
 WHERE id = ?1;
