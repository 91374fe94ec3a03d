-- ?1 message, ?2 subscriber, ?3 priority, ?4 ordering key, ?5 when its message expires. Nobody has claimed it.
INSERT INTO blockqueue_delivery (message_id, subscriber_id, state, priority, attempts, failures,
                                 ordering_key, expires_at)
VALUES (?1, ?2, 3, ?3, 0, 0, ?4, ?5);
