-- On the mirror: the unique indexes beside primary keys. Reads the list of indexes.
SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE INDEX %';
