-- ?1 message. Primary key.
SELECT expires_at FROM blockqueue_message WHERE id = ?1;
