-- Whether there is a queue in this file.
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'blockqueue_migration';
