-- ?1 now, ?2 how many. Index blockqueue_result_expiry.
DELETE FROM blockqueue_result
 WHERE id IN (SELECT id FROM blockqueue_result WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2);
