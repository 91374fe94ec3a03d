-- ?1 subscriber, ?2 how many. Leases that expired and have deliveries left, oldest first.
-- Index blockqueue_lease_lapsed.
SELECT id, runs
  FROM blockqueue_lease
 WHERE subscriber_id = ?1 AND expires_at IS NULL
 ORDER BY id
 LIMIT ?2;
