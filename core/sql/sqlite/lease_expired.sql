-- ?1 now. Oldest first. Index blockqueue_lease_expiry.
SELECT subscriber_id, id, expires_at, runs
  FROM blockqueue_lease
 WHERE expires_at <= ?1
 ORDER BY expires_at
 LIMIT 1000;
