-- ?1 log, ?2 to ?8 its state.
UPDATE blockqueue_log
   SET last_seq = ?2, trim_seq = ?3, position = ?4, published_at = ?5, gap_count = ?6,
       expiring = ?7, is_plain = ?8
 WHERE id = ?1;
