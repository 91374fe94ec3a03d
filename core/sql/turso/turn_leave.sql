-- Engine ?1 had its turn. Expects the primary key of blockqueue_turn.
DELETE FROM blockqueue_turn WHERE engine = ?1;
