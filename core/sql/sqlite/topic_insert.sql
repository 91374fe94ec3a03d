-- ?1 name, ?2 now, ?3 to ?10 settings.
INSERT INTO blockqueue_topic (name, created_at, retention_ms, retention_count, retention_bytes,
                              backlog_count, backlog_bytes, backlog_ms, backlog_policy, idempotency_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);
