-- ?1 topic. Highest priority first, older before younger. Index blockqueue_log_topic; the few rows are sorted.
SELECT id, topic_id, kind, priority, closed, recorded_seq, last_seq, trim_seq, position, published_at,
       gap_count, expiring, is_plain
  FROM blockqueue_log_state
 WHERE topic_id = ?1
 ORDER BY priority DESC, id;
