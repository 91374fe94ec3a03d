-- Records which migrations made this file.
CREATE TABLE blockqueue_migration (
  version INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
);
