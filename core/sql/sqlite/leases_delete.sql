-- ?1 subscriber.
DELETE FROM blockqueue_lease WHERE subscriber_id = ?1;
