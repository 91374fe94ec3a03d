-- ?1 log, ?2 to ?6 its state.
UPDATE blockqueue_log
   SET last_seq = ?2, trim_seq = ?3, position = ?4, published_at = ?5, gap_count = ?6
 WHERE id = ?1;
