-- ?1 subscriber, ?2 how many. Range of the primary key.
SELECT message_id FROM blockqueue_delivery WHERE subscriber_id = ?1 ORDER BY message_id LIMIT ?2;
