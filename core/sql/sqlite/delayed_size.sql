-- ?1 key.
SELECT size_bytes FROM blockqueue_delayed WHERE id = ?1;
