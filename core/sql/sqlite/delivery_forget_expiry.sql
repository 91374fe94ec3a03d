-- ?1 message, ?2 subscriber, which is being reclaimed.
UPDATE blockqueue_delivery SET expires_at = NULL WHERE message_id = ?1 AND subscriber_id = ?2;
