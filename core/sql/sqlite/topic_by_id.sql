-- ?1 topic. A live topic with its number of live subscribers; key, and index blockqueue_subscriber_name.
SELECT id, name, created_at, paused, retention_ms, retention_count, retention_bytes,
       backlog_count, backlog_bytes, backlog_ms, backlog_policy, idempotency_ms, ttl_ms,
       delayed_count, delayed_bytes, delayed_cancelled_count,
       (SELECT count(*) FROM blockqueue_subscriber s
         WHERE s.topic_id = t.id AND s.deleted_at IS NULL) AS subscriber_count
  FROM blockqueue_topic t
 WHERE id = ?1 AND deleted_at IS NULL;
