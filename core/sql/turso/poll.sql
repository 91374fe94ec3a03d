-- The newest version. Expects the primary key of blockqueue_journal.
SELECT max(version) FROM blockqueue_journal;
