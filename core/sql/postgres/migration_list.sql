-- In order.
SELECT version, checksum FROM blockqueue_migration ORDER BY version;
