-- ?1 message, ?2 subscriber, ?3 last number to forget.
DELETE FROM blockqueue_failure WHERE message_id = ?1 AND subscriber_id = ?2 AND failure <= ?3;
