-- ?1 subscriber, ?2 lease.
SELECT token, expires_at, live_count, runs FROM blockqueue_lease WHERE subscriber_id = ?1 AND id = ?2;
