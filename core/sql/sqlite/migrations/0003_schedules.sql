-- Schedules, and what they did: docs/schedules.md. Readable by SQLite 3.31 and later.
--
-- Times are milliseconds since 1970 in UTC.

CREATE TABLE blockqueue_schedule (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- Counts the changes of its settings.
  version INTEGER NOT NULL DEFAULT 1,
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  cron TEXT NOT NULL,
  timezone TEXT NOT NULL,
  start_at INTEGER,
  end_at INTEGER,
  jitter_ms INTEGER NOT NULL,
  grace_ms INTEGER NOT NULL,
  -- Of missed occurrences: 0 none, 1 the newest, 2 the newest misfire_limit are fired.
  misfire INTEGER NOT NULL CHECK (misfire BETWEEN 0 AND 2),
  misfire_limit INTEGER NOT NULL DEFAULT 0,
  -- While the message before is not settled: 0 fire, 1 skip, 2 wait.
  overlap INTEGER NOT NULL CHECK (overlap BETWEEN 0 AND 2),
  -- The next occurrence, and when it is due; none while paused, and when there is none any more.
  next_at INTEGER,
  due_at INTEGER,
  -- The newest occurrence that was decided about: nothing at or before it is ever fired again.
  last_at INTEGER,
  -- An occurrence that waits for the message before to be settled.
  queued_at INTEGER,
  -- The newest message: its key, and when it was accepted.
  message_id INTEGER,
  message_at INTEGER,
  -- The number of the newest run.
  run_seq INTEGER NOT NULL DEFAULT 0,
  -- The message to publish.
  priority INTEGER NOT NULL,
  content_type TEXT,
  headers TEXT,
  correlation_id TEXT,
  ordering_key TEXT,
  ttl_ms INTEGER,
  payload BLOB NOT NULL,
  CHECK ((next_at IS NULL) = (due_at IS NULL)),
  CHECK (paused = 0 OR next_at IS NULL)
);
CREATE UNIQUE INDEX blockqueue_schedule_name ON blockqueue_schedule (topic_id, name);
CREATE INDEX blockqueue_schedule_due ON blockqueue_schedule (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX blockqueue_schedule_queued
  ON blockqueue_schedule (queued_at) WHERE queued_at IS NOT NULL AND paused = 0;

-- What became of occurrences; the newest of each schedule are kept.
CREATE TABLE blockqueue_schedule_run (
  schedule_id INTEGER NOT NULL,
  run INTEGER NOT NULL,
  -- 1 fired, 2 manual, 3 queued, 4 skipped as missed, 5 skipped for overlap, 6 refused, 7 stopped.
  status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 7),
  occurrence_at INTEGER,
  until_at INTEGER,
  at INTEGER NOT NULL,
  message_id INTEGER,
  message_at INTEGER,
  error TEXT,
  PRIMARY KEY (schedule_id, run)
) WITHOUT ROWID;
