-- ?1 log, ?2 to ?7 its state.
UPDATE blockqueue_log
   SET last_seq = ?2, trim_seq = ?3, position = ?4, published_at = ?5, gap_count = ?6,
       expiring = ?7
 WHERE id = ?1;
