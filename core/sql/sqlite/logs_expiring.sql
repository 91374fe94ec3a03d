-- Logs of live topics with messages that expire. Reads the whole table, which has one row per topic and priority.
SELECT l.id
  FROM blockqueue_log l
  JOIN blockqueue_topic t ON t.id = l.topic_id
 WHERE l.kind = 0 AND l.expiring = 1 AND t.deleted_at IS NULL;
