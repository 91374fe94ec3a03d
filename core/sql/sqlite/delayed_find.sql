-- ?1 key and ?2 time of an id. Primary key.
SELECT 1 FROM blockqueue_delayed WHERE id = ?1 AND accepted_at = ?2;
