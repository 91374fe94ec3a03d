-- Which logs have messages that are more than a payload, in a file that was filled from elsewhere. Primary key of
-- messages; reads all of them.
UPDATE blockqueue_log
   SET is_plain = NOT EXISTS (SELECT 1
                                FROM blockqueue_message m
                               WHERE m.id > (blockqueue_log.id << 40)
                                 AND m.id <= (blockqueue_log.id << 40 | 1099511627775)
                                 AND coalesce(m.origin, m.content_type, m.headers, m.correlation_id,
                                              m.idempotency_key, m.ordering_key, m.expires_at) IS NOT NULL);
