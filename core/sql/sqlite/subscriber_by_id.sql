-- ?1 subscriber.
SELECT id, topic_id, name, created_at, paused, max_attempts, lease_ms, claim_limit,
       retry_initial_ms, retry_max_ms, retry_multiplier, retry_jitter, ordered, on_dead, filter,
       on_expiry, leased_max, rate_count, rate_ms, leased_per_key_max,
       leased_count, retrying_count, parked_count, dead_count, lapsed_count, ahead_count, claimed_count,
       acked_count, nacked_count, expired_count, cancelled_count, dropped_count,
       filtered_count, ttl_expired_count, rate_full_at_us, sifted_key, lease_seq
  FROM blockqueue_subscriber
 WHERE id = ?1 AND deleted_at IS NULL;
