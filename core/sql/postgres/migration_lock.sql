-- $1 schema. One engine at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('blockqueue migrations of ' || $1, 0));
