-- ?1 subscriber.
DELETE FROM blockqueue_cursor WHERE subscriber_id = ?1;
