-- ?1 topic, ?2 name, ?3 now. Its settings follow with schedule_settings.sql.
INSERT INTO blockqueue_schedule (topic_id, name, created_at, cron, timezone, jitter_ms, grace_ms, misfire,
                                 overlap, priority, payload)
VALUES (?1, ?2, ?3, '', '', 0, 0, 0, 0, 0, x'');
