-- ?1 log.
UPDATE blockqueue_log SET closed = 1 WHERE id = ?1;
