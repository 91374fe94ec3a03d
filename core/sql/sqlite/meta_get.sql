-- ?1 name.
SELECT value FROM blockqueue_meta WHERE name = ?1;
