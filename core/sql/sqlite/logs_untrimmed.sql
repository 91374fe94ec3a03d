-- Logs of live topics in which there may be something to trim. Reads the whole table, which has one row per topic and priority.
SELECT l.id
  FROM blockqueue_log_state l
  JOIN blockqueue_topic t ON t.id = l.topic_id
 WHERE l.kind = 0 AND l.trim_seq < l.last_seq AND t.deleted_at IS NULL;
