-- ?1 subscriber, ?2 to ?16 settings.
UPDATE blockqueue_subscriber
   SET max_attempts = ?2, lease_ms = ?3, claim_limit = ?4, retry_initial_ms = ?5,
       retry_max_ms = ?6, retry_multiplier = ?7, retry_jitter = ?8, ordered = ?9, on_dead = ?10,
       filter = ?11, on_expiry = ?12, leased_max = ?13, rate_count = ?14, rate_ms = ?15,
       leased_per_key_max = ?16
 WHERE id = ?1;
