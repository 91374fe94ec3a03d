-- ?1 schedule. Primary key.
SELECT * FROM blockqueue_schedule WHERE id = ?1;
