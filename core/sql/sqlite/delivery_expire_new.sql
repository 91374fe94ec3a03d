-- ?1 message, ?2 subscriber, ?3 priority, ?4 now, ?5 ordering key. A dead letter that nobody has claimed.
INSERT INTO blockqueue_delivery (message_id, subscriber_id, state, priority, attempts, failures, ready_at,
                                 ordering_key)
VALUES (?1, ?2, 4, ?3, 0, 1, ?4, ?5);
