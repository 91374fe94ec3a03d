-- ?1 topic, ?2 to ?10 settings.
UPDATE blockqueue_topic
   SET retention_ms = ?2, retention_count = ?3, retention_bytes = ?4, backlog_count = ?5,
       backlog_bytes = ?6, backlog_ms = ?7, backlog_policy = ?8, idempotency_ms = ?9,
       ttl_ms = ?10
 WHERE id = ?1;
