-- ?1 now, ?2 how many. In the order in which they fell due. Index blockqueue_delayed_due.
SELECT id, topic_id, priority, due_at,
       length(payload) + coalesce(length(CAST(headers AS BLOB)), 0)
         + coalesce(length(CAST(content_type AS BLOB)), 0)
         + coalesce(length(CAST(correlation_id AS BLOB)), 0) AS size_bytes
  FROM blockqueue_delayed
 WHERE due_at <= ?1
 ORDER BY due_at, id
 LIMIT ?2;
