-- What transactions changed, in parts, numbered from one transaction to the next: the number of a part is the
-- version of the queue behind it. Its key keeps two from being the same. total_bytes counts the changes up to and
-- with this part, since the beginning.
CREATE TABLE IF NOT EXISTS blockqueue_journal (
  version INTEGER PRIMARY KEY,
  group_id TEXT NOT NULL,
  is_last INTEGER NOT NULL,
  at INTEGER NOT NULL,
  total_bytes INTEGER NOT NULL,
  changes BLOB NOT NULL
);
