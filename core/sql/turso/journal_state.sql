-- The server's time, the newest version, what its changes came to, and the gap that engines other than ?1 ask
-- for. Expects the primary key of blockqueue_journal; blockqueue_turn has a row per engine that waits.
SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER),
       version,
       total_bytes,
       (SELECT coalesce(max(gap_ms), 0)
          FROM blockqueue_turn
         WHERE engine <> ?1 AND until > CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER))
  FROM blockqueue_journal
 ORDER BY version DESC
 LIMIT 1;
