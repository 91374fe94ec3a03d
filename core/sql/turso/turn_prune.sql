-- Forgets engines that have asked for nothing for ?1 milliseconds: they are gone. A row per engine that waits.
DELETE FROM blockqueue_turn
 WHERE until < CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) - ?1;
