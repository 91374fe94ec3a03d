-- The newest numbers of tables that count up. A row per table.
SELECT name, seq FROM sqlite_sequence WHERE name LIKE 'blockqueue\_%' ESCAPE '\';
