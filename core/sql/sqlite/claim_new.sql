-- ?1 key to be above, ?2 last key, ?3 how many, all if negative. Primary key, whatever waits.
SELECT id, published_at, origin, accepted_at, content_type, headers, correlation_id, payload,
       ordering_key, expires_at
  FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
 ORDER BY id
 LIMIT ?3;
