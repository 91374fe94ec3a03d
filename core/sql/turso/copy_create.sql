-- Says that a queue is being copied into this database, and by which copy. One row.
CREATE TABLE blockqueue_copy (id TEXT NOT NULL, is_ours INTEGER NOT NULL);
