-- ?1 subscriber. Leased, retrying and parked ones. Range of the primary key.
DELETE FROM blockqueue_delivery WHERE subscriber_id = ?1 AND state IN (1, 2, 3);
