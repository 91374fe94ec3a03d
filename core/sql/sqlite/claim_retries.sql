-- ?1 subscriber, ?2 priority, ?3 now, ?4 how many, all if negative. Earliest first.
-- Index blockqueue_delivery_retry, then the key of the message.
SELECT m.id, m.published_at, m.origin, m.accepted_at, m.content_type, m.headers, m.correlation_id,
       m.payload, m.ordering_key, m.expires_at, d.ready_at, d.lease_id, d.attempts, d.failures, d.ordering_key
  FROM blockqueue_delivery d
  JOIN blockqueue_message m ON m.id = d.message_id
 WHERE d.subscriber_id = ?1 AND d.state = 2 AND d.priority = ?2 AND d.ready_at <= ?3
 ORDER BY d.ready_at, d.message_id
 LIMIT ?4;
