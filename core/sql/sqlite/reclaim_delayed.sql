-- ?1 first key, ?2 last key, ?3 how many. Of a topic that nobody sees any more.
DELETE FROM blockqueue_delayed
 WHERE id IN (SELECT id FROM blockqueue_delayed WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT ?3);
