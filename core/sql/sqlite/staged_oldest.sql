-- ?1 how many. In the order in which they were staged: the table's key.
SELECT id, topic_id, priority, delay_ms, deliver_at, content_type, headers, correlation_id,
       idempotency_key, ordering_key, ttl_ms, unique_key, payload
  FROM blockqueue_staged
 ORDER BY id
 LIMIT ?1;
