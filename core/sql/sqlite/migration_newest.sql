SELECT max(version) FROM blockqueue_migration;
