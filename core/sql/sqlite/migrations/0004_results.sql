-- Unique work and results. See docs/design/0013-unique-work.md and docs/design/0014-results.md.

-- The newest message under a key that no other may use until every subscriber has settled this one.
CREATE TABLE blockqueue_unique (
  topic_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  -- The key and the time that the message was accepted under.
  message_id INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  -- When upkeep looks whether the message is settled.
  look_at INTEGER NOT NULL,
  PRIMARY KEY (topic_id, key)
) WITHOUT ROWID;
CREATE INDEX blockqueue_unique_look ON blockqueue_unique (look_at);

-- The reply of a subscriber to a message; it may outlive both.
CREATE TABLE blockqueue_result (
  id INTEGER PRIMARY KEY,
  -- The key and the time that the message was accepted under.
  message_id INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  subscriber_id INTEGER NOT NULL,
  replied_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  content_type TEXT,
  payload BLOB NOT NULL
);
CREATE UNIQUE INDEX blockqueue_result_message ON blockqueue_result (message_id, subscriber_id);
CREATE INDEX blockqueue_result_expiry ON blockqueue_result (expires_at);
