-- ?1 key.
DELETE FROM blockqueue_delayed WHERE id = ?1;
