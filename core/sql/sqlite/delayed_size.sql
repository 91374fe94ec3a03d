-- ?1 key. What `delayed_due` counts.
SELECT length(payload) + coalesce(length(CAST(headers AS BLOB)), 0)
         + coalesce(length(CAST(content_type AS BLOB)), 0)
         + coalesce(length(CAST(correlation_id AS BLOB)), 0)
  FROM blockqueue_delayed
 WHERE id = ?1;
