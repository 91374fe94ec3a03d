-- On the mirror: the tables of a queue, and whether they count up. Reads the list of tables.
SELECT name, sql LIKE '% AUTOINCREMENT%' FROM sqlite_master
 WHERE type = 'table' AND name LIKE 'blockqueue\_%' ESCAPE '\'
 ORDER BY name;
