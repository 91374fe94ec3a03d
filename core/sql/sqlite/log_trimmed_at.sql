-- ?1 log. Primary key.
SELECT trimmed_at FROM blockqueue_log WHERE id = ?1;
