-- The layout of docs/design/0001-log-and-cursor.md. Readable by SQLite 3.31 and later.
--
-- Keys of messages are packed: log id << 40 | sequence. Times are milliseconds since 1970 in UTC.
-- A released migration is never edited: its checksum is kept in every file.

CREATE TABLE blockqueue_meta (
  name TEXT PRIMARY KEY,
  value NOT NULL
) WITHOUT ROWID;

CREATE TABLE blockqueue_topic (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- Set: gone for everybody, its rows are being reclaimed.
  deleted_at INTEGER,
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  -- At most one of the three; none: trimmed at once.
  retention_ms INTEGER,
  retention_count INTEGER,
  retention_bytes INTEGER,
  backlog_count INTEGER,
  backlog_bytes INTEGER,
  backlog_ms INTEGER,
  -- 0 refuse, 1 drop the oldest.
  backlog_policy INTEGER NOT NULL DEFAULT 0 CHECK (backlog_policy IN (0, 1)),
  idempotency_ms INTEGER NOT NULL,
  -- Of messages that do not say; none: they do not expire.
  ttl_ms INTEGER,
  delayed_count INTEGER NOT NULL DEFAULT 0,
  delayed_bytes INTEGER NOT NULL DEFAULT 0,
  delayed_cancelled_count INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX blockqueue_topic_name ON blockqueue_topic (name) WHERE deleted_at IS NULL;
CREATE INDEX blockqueue_topic_deleted ON blockqueue_topic (id) WHERE deleted_at IS NOT NULL;

-- One per topic and priority in use, and its successor when the sequence numbers run out; one more per
-- topic (kind 1) for the ids of delayed messages. Ids are never reused.
CREATE TABLE blockqueue_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id < 8388608),
  topic_id INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
  priority INTEGER NOT NULL,
  closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
  -- Sequence number of the newest message; they are dense and begin at 1. This, position and published_at
  -- may be behind by messages that are there and nothing but payloads: see blockqueue_log_state.
  last_seq INTEGER NOT NULL DEFAULT 0,
  -- The trimmer has passed everything at or below this.
  trim_seq INTEGER NOT NULL DEFAULT 0,
  -- When the newest of those became deliverable.
  trimmed_at INTEGER NOT NULL DEFAULT -1,
  -- Bytes of all messages ever appended.
  position INTEGER NOT NULL DEFAULT 0,
  -- When the newest message became deliverable; never goes back.
  published_at INTEGER NOT NULL DEFAULT 0,
  -- Messages removed above the trim frontier: counting by sequence is then an upper bound.
  gap_count INTEGER NOT NULL DEFAULT 0,
  -- It has, or had, messages that expire.
  expiring INTEGER NOT NULL DEFAULT 0 CHECK (expiring IN (0, 1)),
  -- Every message that it has, or had, is a payload and nothing else: a claim reads nothing else.
  is_plain INTEGER NOT NULL DEFAULT 1 CHECK (is_plain IN (0, 1)),
  CHECK (trim_seq <= last_seq)
);
CREATE UNIQUE INDEX blockqueue_log_open ON blockqueue_log (topic_id, kind, priority) WHERE closed = 0;
CREATE INDEX blockqueue_log_topic ON blockqueue_log (topic_id);

CREATE TABLE blockqueue_message (
  id INTEGER PRIMARY KEY,
  -- When it became deliverable; never goes back within a log.
  published_at INTEGER NOT NULL,
  -- Bytes of all earlier messages of its log.
  position INTEGER NOT NULL,
  -- For a message that was delayed: the key it was accepted under, and when.
  origin INTEGER,
  accepted_at INTEGER,
  content_type TEXT,
  -- A JSON object of strings.
  headers TEXT,
  correlation_id TEXT,
  idempotency_key TEXT,
  ordering_key TEXT,
  -- Not delivered any more from then on.
  expires_at INTEGER,
  payload BLOB NOT NULL
);
-- Logs as they are. A publish of plain messages writes them and nothing else: what they do to their log is seen
-- from the newest one. Whatever removes messages above last_seq writes the log's row, too.
CREATE VIEW blockqueue_log_state AS
SELECT l.id, l.topic_id, l.kind, l.priority, l.closed, l.trim_seq, l.trimmed_at, l.gap_count, l.expiring,
       l.is_plain, l.last_seq AS recorded_seq,
       coalesce(m.id & 1099511627775, l.last_seq) AS last_seq,
       coalesce(m.position + length(m.payload), l.position) AS position,
       coalesce(m.published_at, l.published_at) AS published_at
  FROM blockqueue_log l
  LEFT JOIN blockqueue_message m
    ON m.id = (SELECT max(n.id)
                 FROM blockqueue_message n
                WHERE n.id > (l.id << 40 | l.last_seq) AND n.id <= (l.id << 40 | 1099511627775));

CREATE UNIQUE INDEX blockqueue_message_origin ON blockqueue_message (origin) WHERE origin IS NOT NULL;

CREATE TABLE blockqueue_delayed (
  id INTEGER PRIMARY KEY,
  topic_id INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  -- Bytes of payload, headers, content type and correlation id.
  size_bytes INTEGER NOT NULL,
  content_type TEXT,
  headers TEXT,
  correlation_id TEXT,
  idempotency_key TEXT,
  ordering_key TEXT,
  expires_at INTEGER,
  payload BLOB NOT NULL
);
CREATE INDEX blockqueue_delayed_due ON blockqueue_delayed (due_at);

CREATE TABLE blockqueue_subscriber (
  id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id < 4294967296),
  topic_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  max_attempts INTEGER NOT NULL,
  lease_ms INTEGER NOT NULL,
  claim_limit INTEGER NOT NULL,
  retry_initial_ms INTEGER NOT NULL,
  retry_max_ms INTEGER NOT NULL,
  retry_multiplier REAL NOT NULL,
  retry_jitter REAL NOT NULL,
  ordered INTEGER NOT NULL DEFAULT 0 CHECK (ordered IN (0, 1)),
  -- 0 the key of a dead letter goes on, 1 it waits.
  on_dead INTEGER NOT NULL DEFAULT 0 CHECK (on_dead IN (0, 1)),
  -- JSON.
  filter TEXT,
  -- 0 what expires is skipped, 1 it is dead-lettered.
  on_expiry INTEGER NOT NULL DEFAULT 0 CHECK (on_expiry IN (0, 1)),
  leased_max INTEGER,
  rate_count INTEGER,
  rate_ms INTEGER,
  leased_per_key_max INTEGER,
  -- Deliveries by state; changed in the transaction that changes the state.
  leased_count INTEGER NOT NULL DEFAULT 0,
  retrying_count INTEGER NOT NULL DEFAULT 0,
  parked_count INTEGER NOT NULL DEFAULT 0,
  dead_count INTEGER NOT NULL DEFAULT 0,
  -- Retrying ones whose lease expired, and which nobody has claimed again.
  lapsed_count INTEGER NOT NULL DEFAULT 0,
  -- Rows ahead of the cursor: messages to skip, or dead letters that a seek went back behind.
  ahead_count INTEGER NOT NULL DEFAULT 0,
  -- Since it was created.
  claimed_count INTEGER NOT NULL DEFAULT 0,
  acked_count INTEGER NOT NULL DEFAULT 0,
  nacked_count INTEGER NOT NULL DEFAULT 0,
  expired_count INTEGER NOT NULL DEFAULT 0,
  cancelled_count INTEGER NOT NULL DEFAULT 0,
  dropped_count INTEGER NOT NULL DEFAULT 0,
  filtered_count INTEGER NOT NULL DEFAULT 0,
  ttl_expired_count INTEGER NOT NULL DEFAULT 0,
  -- When the rate allows for everything again, in microseconds since 1970.
  rate_full_at_us INTEGER NOT NULL DEFAULT 0,
  -- The settings of ordering keys were changed: deliveries up to this key have been looked at since.
  sifted_key TEXT,
  -- Number of the newest lease.
  lease_seq INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX blockqueue_subscriber_name
  ON blockqueue_subscriber (topic_id, name) WHERE deleted_at IS NULL;
CREATE INDEX blockqueue_subscriber_deleted ON blockqueue_subscriber (id) WHERE deleted_at IS NOT NULL;

-- What a subscriber has claimed or skipped of a log: everything up to seq. No row means 0.
CREATE TABLE blockqueue_cursor (
  subscriber_id INTEGER NOT NULL,
  log_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (subscriber_id, log_id)
) WITHOUT ROWID;

-- One row per delivery in flight: between its first claim and its settlement.
-- States: 1 leased, 2 retrying, 3 parked, 4 dead-lettered, 5 to be skipped (ahead of the cursor).
CREATE TABLE blockqueue_delivery (
  subscriber_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
  -- The lease whose receipt is live. Kept when it expires, until the delivery is claimed again.
  lease_id INTEGER,
  priority INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  -- Retrying: claimable from then on. Dead-lettered: since then.
  ready_at INTEGER,
  -- Only if the subscriber goes by keys.
  ordering_key TEXT,
  -- Retrying or parked, of a message that expires: ended then.
  expires_at INTEGER,
  -- By subscriber first: what one claim hands out, and one ack settles, are neighbours.
  PRIMARY KEY (subscriber_id, message_id),
  -- A state that has a time has one. Said so that it is quickly found true of what a claim writes.
  CHECK ((ready_at IS NULL AND state <> 2 AND state <> 4) OR (ready_at IS NOT NULL AND state IN (2, 4)))
) WITHOUT ROWID;
CREATE INDEX blockqueue_delivery_retry
  ON blockqueue_delivery (subscriber_id, priority, ready_at) WHERE state = 2;
CREATE INDEX blockqueue_delivery_dead
  ON blockqueue_delivery (subscriber_id, ready_at) WHERE state = 4;
CREATE INDEX blockqueue_delivery_key
  ON blockqueue_delivery (subscriber_id, ordering_key, state, lease_id, message_id)
  WHERE ordering_key IS NOT NULL;
CREATE INDEX blockqueue_delivery_expiry
  ON blockqueue_delivery (expires_at) WHERE expires_at IS NOT NULL;

-- One row per claim call, not per delivery, so that expiry is found without indexing each delivery.
CREATE TABLE blockqueue_lease (
  subscriber_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  token BLOB NOT NULL CHECK (length(token) = 16),
  -- NULL: it expired, its deliveries are retrying, its receipts live until they are claimed again.
  expires_at INTEGER,
  -- Deliveries that still name this lease.
  live_count INTEGER NOT NULL,
  -- JSON list of first and last keys of the runs of messages that it was made for.
  runs TEXT NOT NULL,
  PRIMARY KEY (subscriber_id, id)
) WITHOUT ROWID;
CREATE INDEX blockqueue_lease_expiry ON blockqueue_lease (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX blockqueue_lease_lapsed ON blockqueue_lease (subscriber_id, id) WHERE expires_at IS NULL;

-- What went wrong with deliveries, for as long as their messages are kept.
CREATE TABLE blockqueue_failure (
  message_id INTEGER NOT NULL,
  subscriber_id INTEGER NOT NULL,
  failure INTEGER NOT NULL,
  failed_at INTEGER NOT NULL,
  error TEXT,
  PRIMARY KEY (message_id, subscriber_id, failure)
) WITHOUT ROWID;

CREATE TABLE blockqueue_idempotency (
  topic_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  -- The first message: its key, when it was accepted, when it is due if it was delayed.
  message_id INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  due_at INTEGER,
  -- SHA-256 of everything that makes it a different message, first 16 bytes.
  fingerprint BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (topic_id, key)
) WITHOUT ROWID;
CREATE INDEX blockqueue_idempotency_expiry ON blockqueue_idempotency (expires_at);
