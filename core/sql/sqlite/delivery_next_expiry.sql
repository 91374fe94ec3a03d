-- Index blockqueue_delivery_expiry.
SELECT expires_at FROM blockqueue_delivery WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1;
