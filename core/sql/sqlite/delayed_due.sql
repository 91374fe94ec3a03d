-- ?1 now, ?2 how many. In the order in which they fell due. Index blockqueue_delayed_due.
SELECT id, topic_id, priority, due_at, size_bytes, expires_at IS NOT NULL AS expires
  FROM blockqueue_delayed
 WHERE due_at <= ?1
 ORDER BY due_at, id
 LIMIT ?2;
