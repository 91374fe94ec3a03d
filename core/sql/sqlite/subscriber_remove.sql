-- ?1 subscriber; nothing of it is left.
DELETE FROM blockqueue_subscriber WHERE id = ?1;
