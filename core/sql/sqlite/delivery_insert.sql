-- ?1 message, ?2 subscriber, ?3 lease, ?4 priority.
INSERT INTO blockqueue_delivery (message_id, subscriber_id, state, lease_id, priority, attempts, failures)
VALUES (?1, ?2, 1, ?3, ?4, 1, 0);
