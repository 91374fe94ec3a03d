-- ?1 key.
SELECT published_at FROM blockqueue_message WHERE id = ?1;
