-- ?1 schedule, ?2 version, ?3 cron, ?4 zone, ?5 start, ?6 end, ?7 jitter, ?8 grace, ?9 misfire, ?10 its
-- limit, ?11 overlap, ?12 to ?18 the message. Primary key.
UPDATE blockqueue_schedule
   SET version = ?2, cron = ?3, timezone = ?4, start_at = ?5, end_at = ?6, jitter_ms = ?7, grace_ms = ?8,
       misfire = ?9, misfire_limit = ?10, overlap = ?11, priority = ?12, content_type = ?13,
       headers = ?14, correlation_id = ?15, ordering_key = ?16, ttl_ms = ?17, payload = ?18
 WHERE id = ?1;
