-- The newest migration. A handful of rows.
SELECT max(version) FROM blockqueue_migration;
