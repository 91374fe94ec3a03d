-- ?1 key to be above, ?2 last key. What decides whether a message is delivered; its payload is not read.
-- Primary key, whatever waits.
SELECT id, published_at, expires_at, ordering_key, headers
  FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
 ORDER BY id;
