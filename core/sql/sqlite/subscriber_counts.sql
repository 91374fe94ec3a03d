-- ?1 subscriber, ?2 to ?17 counters.
UPDATE blockqueue_subscriber
   SET leased_count = ?2, retrying_count = ?3, parked_count = ?4, dead_count = ?5, ahead_count = ?6,
       claimed_count = ?7, acked_count = ?8, nacked_count = ?9, expired_count = ?10,
       cancelled_count = ?11, dropped_count = ?12, lease_seq = ?13, lapsed_count = ?14,
       filtered_count = ?15, ttl_expired_count = ?16, rate_full_at_us = ?17
 WHERE id = ?1;
