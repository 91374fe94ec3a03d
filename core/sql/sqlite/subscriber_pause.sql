-- ?1 subscriber, ?2 whether.
UPDATE blockqueue_subscriber SET paused = ?2 WHERE id = ?1;
