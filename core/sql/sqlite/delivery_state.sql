-- ?1 message, ?2 subscriber.
SELECT state, failures FROM blockqueue_delivery WHERE message_id = ?1 AND subscriber_id = ?2;
