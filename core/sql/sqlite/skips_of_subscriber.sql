-- ?1 subscriber. Index blockqueue_delivery_ahead.
SELECT message_id FROM blockqueue_delivery WHERE subscriber_id = ?1 AND state = 5;
