-- The version of an empty queue, of a group that no other queue has, unless there is one already.
INSERT INTO blockqueue_journal (version, group_id, is_last, at, total_bytes, changes)
SELECT 0, lower(hex(randomblob(16))), 1, CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER), 0, x''
 WHERE NOT EXISTS (SELECT 1 FROM blockqueue_journal);
