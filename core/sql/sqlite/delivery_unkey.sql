-- ?1 message, ?2 subscriber. It does not go by keys any more.
UPDATE blockqueue_delivery SET ordering_key = NULL WHERE message_id = ?1 AND subscriber_id = ?2;
