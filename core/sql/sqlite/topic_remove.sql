-- ?1 topic; nothing of it is left.
DELETE FROM blockqueue_topic WHERE id = ?1;
