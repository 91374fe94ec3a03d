-- ?1 key to be above, ?2 last key, ?3 how many. Primary key.
SELECT id
  FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
 ORDER BY id
 LIMIT ?3;
