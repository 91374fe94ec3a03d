-- ?1 now, ?2 how many. Retrying and parked ones whose message expired. Index blockqueue_delivery_expiry.
SELECT subscriber_id, message_id, state, lease_id, failures, ordering_key
  FROM blockqueue_delivery
 WHERE expires_at <= ?1
 ORDER BY expires_at
 LIMIT ?2;
