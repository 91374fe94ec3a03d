-- ?1 now, ?2 how many. Index blockqueue_idempotency_expiry.
DELETE FROM blockqueue_idempotency
 WHERE (topic_id, key) IN (SELECT topic_id, key FROM blockqueue_idempotency
                            WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2);
