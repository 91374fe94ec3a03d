-- Index blockqueue_lease_expiry.
SELECT expires_at FROM blockqueue_lease WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1;
