-- $1 name. Primary key.
SELECT value FROM blockqueue_meta WHERE name = $1;
