-- ?1 key to be above, ?2 last key, ?3 how many, all if negative. As claim_new.sql, of a log whose messages are
-- payloads and nothing else. Primary key, whatever waits.
SELECT id, published_at, payload
  FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
 ORDER BY id
 LIMIT ?3;
