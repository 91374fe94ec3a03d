-- Forgets what is older than ?2 milliseconds, below version ?1 and in a bounded number. Expects the primary key
-- of blockqueue_journal.
DELETE FROM blockqueue_journal
 WHERE version < ?1
   AND version < (SELECT min(version) FROM blockqueue_journal) + 1000
   AND at < CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) - ?2;
