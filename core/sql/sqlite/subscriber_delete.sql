-- ?1 subscriber, ?2 now.
UPDATE blockqueue_subscriber SET deleted_at = ?2 WHERE id = ?1;
