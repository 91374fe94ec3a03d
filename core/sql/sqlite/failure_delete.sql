-- ?1 key of a message.
DELETE FROM blockqueue_failure WHERE message_id = ?1;
