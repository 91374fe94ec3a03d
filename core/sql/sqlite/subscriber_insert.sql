-- ?1 topic, ?2 name, ?3 now. Its settings follow.
INSERT INTO blockqueue_subscriber (topic_id, name, created_at, max_attempts, lease_ms, claim_limit,
                                   retry_initial_ms, retry_max_ms, retry_multiplier, retry_jitter)
VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, 0, 0);
