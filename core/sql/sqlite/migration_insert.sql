-- ?1 version, ?2 title, ?3 checksum, ?4 now.
INSERT INTO blockqueue_migration (version, title, checksum, applied_at) VALUES (?1, ?2, ?3, ?4);
