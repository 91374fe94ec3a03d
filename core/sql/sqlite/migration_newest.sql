-- The newest migration of this file, if any.
SELECT max(version) FROM blockqueue_migration;
