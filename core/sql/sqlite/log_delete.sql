-- ?1 log.
DELETE FROM blockqueue_log WHERE id = ?1;
