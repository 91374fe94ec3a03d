-- ?1 subscriber.
SELECT id, topic_id, name, created_at, paused, max_attempts, lease_ms, claim_limit,
       retry_initial_ms, retry_max_ms, retry_multiplier, retry_jitter,
       leased_count, retrying_count, parked_count, dead_count, ahead_count, claimed_count,
       acked_count, nacked_count, expired_count, cancelled_count, dropped_count, lease_seq
  FROM blockqueue_subscriber
 WHERE id = ?1 AND deleted_at IS NULL;
