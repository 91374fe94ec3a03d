-- ?1 key. The same columns as a message's: it is published when it is due.
SELECT id, due_at AS published_at, id AS origin, accepted_at, content_type, headers, correlation_id,
       idempotency_key, ordering_key, expires_at, payload, priority
  FROM blockqueue_delayed
 WHERE id = ?1;
