-- On the mirror: numbers of table ?1 are used up to ?2, and it has none yet.
INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2);
