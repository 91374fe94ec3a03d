-- $1 version, $2 title, $3 checksum.
INSERT INTO blockqueue_migration (version, title, checksum) VALUES ($1, $2, $3);
