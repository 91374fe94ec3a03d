-- Which of the tables that say whose database it is are there. Reads the list of tables.
SELECT name FROM sqlite_master
 WHERE type = 'table' AND name IN ('blockqueue_journal', 'blockqueue_migration', 'blockqueue_copy');
