-- Version ?1, of group ?2, its last part or not (?3): ?5 are changes, ?4 the count of bytes with them. If the
-- newest version is not the one before, of group ?6, it has no time, which fails. Expects the primary key of
-- blockqueue_journal.
INSERT INTO blockqueue_journal (version, group_id, is_last, at, total_bytes, changes)
VALUES (?1, ?2, ?3,
        CASE (SELECT max(version) FROM blockqueue_journal)
          WHEN ?1 - 1 THEN (SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)
                              FROM blockqueue_journal
                             WHERE version = ?1 - 1 AND group_id = ?6)
        END,
        ?4, ?5);
