-- ?1 topic, ?2 whether.
UPDATE blockqueue_topic SET paused = ?2 WHERE id = ?1;
