-- ?1 subscriber, ?2 lease, ?3 expiry, ?4 deliveries.
UPDATE blockqueue_lease SET expires_at = ?3, live_count = ?4 WHERE subscriber_id = ?1 AND id = ?2;
