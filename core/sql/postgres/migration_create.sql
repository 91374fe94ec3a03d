-- What has been done to this schema.
CREATE TABLE blockqueue_migration (
  version INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
