-- The server's time, the gap that engines other than ?1 ask for, the newest version, what its changes came to and
-- its group, and the group of version ?2. Expects the primary key of blockqueue_journal; blockqueue_turn has a row
-- per engine that waits.
SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER),
       (SELECT coalesce(max(gap_ms), 0)
          FROM blockqueue_turn
         WHERE engine <> ?1 AND until > CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)),
       version,
       total_bytes,
       group_id,
       (SELECT group_id FROM blockqueue_journal WHERE version = ?2)
  FROM blockqueue_journal
 ORDER BY version DESC
 LIMIT 1;
