-- On the mirror: numbers of table ?1 are used up to ?2. A row per table that counts up.
UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1;
