-- ?1 subscriber, ?2 lease, ?3 token, ?4 expiry, ?5 deliveries, ?6 runs.
INSERT INTO blockqueue_lease (subscriber_id, id, token, expires_at, live_count, runs)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);
