-- ?1 subscriber.
SELECT created_at FROM blockqueue_subscriber WHERE id = ?1;
