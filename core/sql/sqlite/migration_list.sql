-- Every migration of this file, in order.
SELECT version, checksum FROM blockqueue_migration ORDER BY version;
