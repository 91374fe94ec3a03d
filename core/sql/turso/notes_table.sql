-- On the mirror: whether this connection takes notes. Reads the list of temporary tables.
SELECT 1 FROM temp.sqlite_master WHERE name = 'blockqueue_notes';
