-- ?1 message, ?2 subscriber.
SELECT ordering_key FROM blockqueue_delivery WHERE message_id = ?1 AND subscriber_id = ?2;
