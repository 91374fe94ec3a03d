-- Engine ?1 asks for gaps of ?2 milliseconds, for two seconds.
INSERT OR REPLACE INTO blockqueue_turn (engine, until, gap_ms)
VALUES (?1, CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) + 2000, ?2);
