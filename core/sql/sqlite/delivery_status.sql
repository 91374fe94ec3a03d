-- ?1 message, ?2 subscriber. With the expiry of the lease of a leased one. Primary keys.
SELECT d.state, d.attempts, d.failures,
       CASE d.state WHEN 1 THEN l.expires_at ELSE d.ready_at END
  FROM blockqueue_delivery d
  LEFT JOIN blockqueue_lease l ON l.subscriber_id = d.subscriber_id AND l.id = d.lease_id
 WHERE d.message_id = ?1 AND d.subscriber_id = ?2;
