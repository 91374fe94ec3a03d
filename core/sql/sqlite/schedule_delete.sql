-- ?1 schedule. Primary key.
DELETE FROM blockqueue_schedule WHERE id = ?1;
