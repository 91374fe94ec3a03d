-- ?1 name, ?2 value. The table's key.
INSERT OR REPLACE INTO blockqueue_meta (name, value) VALUES (?1, ?2);
