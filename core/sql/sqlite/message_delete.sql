-- ?1 key.
DELETE FROM blockqueue_message WHERE id = ?1;
