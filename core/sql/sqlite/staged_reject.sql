-- ?1 staged message, ?2 topic's name, ?3 now, ?4 code, ?5 detail. The table's key.
INSERT INTO blockqueue_rejected (topic, rejected_at, code, detail, priority, delay_ms, deliver_at,
                                 content_type, headers, correlation_id, idempotency_key,
                                 ordering_key, ttl_ms, unique_key, payload)
SELECT ?2, ?3, ?4, ?5, priority, delay_ms, deliver_at, content_type, headers, correlation_id,
       idempotency_key, ordering_key, ttl_ms, unique_key, payload
  FROM blockqueue_staged
 WHERE id = ?1;
