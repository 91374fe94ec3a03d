-- The parts after version ?1, up to ?2 bytes counted since the beginning, and at most ?3. Expects the primary
-- key of blockqueue_journal.
SELECT version, group_id, is_last, total_bytes, changes
  FROM blockqueue_journal
 WHERE version > ?1 AND total_bytes <= ?2
 ORDER BY version
 LIMIT ?3;
