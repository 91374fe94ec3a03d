-- ?1 key to be above, ?2 last key. Primary key.
SELECT id, published_at, position
  FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
 ORDER BY id
 LIMIT 1;
