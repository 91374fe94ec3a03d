-- ?1 subscriber, ?2 to ?8 settings.
UPDATE blockqueue_subscriber
   SET max_attempts = ?2, lease_ms = ?3, claim_limit = ?4, retry_initial_ms = ?5,
       retry_max_ms = ?6, retry_multiplier = ?7, retry_jitter = ?8
 WHERE id = ?1;
