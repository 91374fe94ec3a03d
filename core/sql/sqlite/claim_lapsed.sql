-- ?1 subscriber, ?2 lease, ?3 and ?4 first and last message of a run. Deliveries whose lease expired.
-- The columns of claim_retries.sql and the priority. Range of the primary key, then the key of the message.
SELECT m.id, m.published_at, m.origin, m.accepted_at, m.content_type, m.headers, m.correlation_id,
       m.payload, m.ordering_key, m.expires_at, d.ready_at, d.lease_id, d.attempts, d.failures,
       d.ordering_key, d.priority
  FROM blockqueue_delivery d
  JOIN blockqueue_message m ON m.id = d.message_id
 WHERE d.subscriber_id = ?1 AND d.message_id >= ?3 AND d.message_id <= ?4 AND d.lease_id = ?2
   AND d.state = 2
 ORDER BY d.message_id;
