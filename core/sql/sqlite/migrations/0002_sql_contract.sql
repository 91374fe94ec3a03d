-- The SQL contract of docs/sql.md: views that any client writes to, in its own transaction.
--
-- What runs here runs inside other people's SQLite, 3.31 or later with its JSON functions: nothing newer,
-- no function of ours, no clock. Each message of RAISE begins with a code of the table in error.rs; the
-- limits are those of limits.rs. Checks are triggers after the insert into a table, where its column
-- types have made one value of 5, 5.0 and '5': drivers differ in what they bind.

INSERT INTO blockqueue_meta (name, value) VALUES ('sql_contract', 1);

-- --- publish ------------------------------------------------------------------------------------------

-- Messages of committed transactions on their way to the logs, in the order of their statements.
CREATE TABLE blockqueue_staged (
  id INTEGER PRIMARY KEY,
  topic_id INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  -- Counted from promotion.
  delay_ms INTEGER,
  deliver_at INTEGER,
  content_type TEXT,
  headers TEXT,
  correlation_id TEXT,
  idempotency_key TEXT,
  ordering_key TEXT,
  -- Counted from promotion.
  ttl_ms INTEGER,
  unique_key TEXT,
  -- Text stays text: only its reader knows how this file encodes it.
  payload NOT NULL
);
CREATE INDEX blockqueue_staged_key
  ON blockqueue_staged (topic_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX blockqueue_staged_unique
  ON blockqueue_staged (topic_id, unique_key) WHERE unique_key IS NOT NULL;

-- Staged messages that could not be promoted, for people: the newest 1,000.
CREATE TABLE blockqueue_rejected (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  rejected_at INTEGER NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  priority INTEGER NOT NULL,
  delay_ms INTEGER,
  deliver_at INTEGER,
  content_type TEXT,
  headers TEXT,
  correlation_id TEXT,
  idempotency_key TEXT,
  ordering_key TEXT,
  ttl_ms INTEGER,
  unique_key TEXT,
  payload NOT NULL
);

CREATE VIEW blockqueue_publish AS
SELECT t.name AS topic, s.payload, s.content_type, s.headers, s.correlation_id, s.priority, s.delay_ms,
       s.deliver_at, s.idempotency_key, s.ordering_key, s.ttl_ms, s.unique_key
  FROM blockqueue_staged s
  JOIN blockqueue_topic t ON t.id = s.topic_id;

CREATE TRIGGER blockqueue_publish_insert INSTEAD OF INSERT ON blockqueue_publish
BEGIN
  SELECT RAISE(ABORT, 'unknown_topic: there is no topic of this name')
   WHERE NOT EXISTS (SELECT 1 FROM blockqueue_topic WHERE name = new.topic AND deleted_at IS NULL);
  SELECT RAISE(ABORT, 'invalid_argument: payload must be text or a blob')
   WHERE typeof(new.payload) NOT IN ('text', 'blob');
  INSERT INTO blockqueue_staged (topic_id, priority, delay_ms, deliver_at, content_type, headers,
                                 correlation_id, idempotency_key, ordering_key, ttl_ms, unique_key,
                                 payload)
  SELECT id, coalesce(new.priority, 0), new.delay_ms, new.deliver_at, new.content_type, new.headers,
         new.correlation_id, new.idempotency_key, new.ordering_key, new.ttl_ms, new.unique_key, new.payload
    FROM blockqueue_topic
   WHERE name = new.topic AND deleted_at IS NULL;
END;

-- What a topic holds for its slowest subscribers, as committed: without what is staged.
CREATE VIEW blockqueue_backlog AS
SELECT topic_id, sum(last_seq - (head_id & 1099511627775) + 1) AS message_count,
       sum(position - (SELECT m.position FROM blockqueue_message m WHERE m.id = head_id)) AS size_bytes
  FROM (SELECT l.topic_id, l.last_seq, l.position,
               (SELECT m.id
                  FROM blockqueue_message m
                 WHERE m.id > (l.id << 40 |
                               (SELECT min(coalesce(c.seq, 0))
                                  FROM blockqueue_subscriber s
                                  LEFT JOIN blockqueue_cursor c
                                    ON c.subscriber_id = s.id AND c.log_id = l.id
                                 WHERE s.topic_id = l.topic_id AND s.deleted_at IS NULL))
                   AND m.id <= (l.id << 40 | l.last_seq)
                 ORDER BY m.id
                 LIMIT 1) AS head_id
          FROM blockqueue_log_state l
         WHERE l.kind = 0)
 GROUP BY topic_id;

CREATE TRIGGER blockqueue_staged_check AFTER INSERT ON blockqueue_staged
BEGIN
  SELECT CASE
    WHEN length(CAST(new.payload AS BLOB)) >
         coalesce((SELECT value FROM blockqueue_meta WHERE name = 'payload_bytes_max'), 1048576)
      THEN RAISE(ABORT, 'limit_exceeded: payload is larger than this queue allows')
    WHEN typeof(new.priority) <> 'integer' OR new.priority NOT BETWEEN -1000 AND 1000
      THEN RAISE(ABORT, 'invalid_argument: priority must be an integer from -1000 to 1000')
    WHEN new.delay_ms IS NOT NULL AND new.deliver_at IS NOT NULL
      THEN RAISE(ABORT, 'invalid_argument: delay_ms and deliver_at exclude each other')
    WHEN typeof(new.delay_ms) NOT IN ('integer', 'null') OR new.delay_ms NOT BETWEEN 0 AND 31622400000
      THEN RAISE(ABORT, 'invalid_argument: delay_ms must be an integer from 0 to 31622400000')
    WHEN typeof(new.deliver_at) NOT IN ('integer', 'null')
         OR new.deliver_at NOT BETWEEN 0 AND 253402300799999
      THEN RAISE(ABORT, 'invalid_argument: deliver_at must be in milliseconds since 1970')
    WHEN typeof(new.content_type) NOT IN ('text', 'null')
      THEN RAISE(ABORT, 'invalid_argument: content_type must be text')
    WHEN typeof(new.correlation_id) NOT IN ('text', 'null')
      THEN RAISE(ABORT, 'invalid_argument: correlation_id must be text')
    WHEN typeof(new.idempotency_key) NOT IN ('text', 'null') OR new.idempotency_key = ''
      THEN RAISE(ABORT, 'invalid_argument: idempotency_key must be text and not empty')
    WHEN length(CAST(new.idempotency_key AS BLOB)) > 255
      THEN RAISE(ABORT, 'limit_exceeded: idempotency_key is longer than 255 bytes')
    WHEN typeof(new.ordering_key) NOT IN ('text', 'null') OR new.ordering_key = ''
      THEN RAISE(ABORT, 'invalid_argument: ordering_key must be text and not empty')
    WHEN length(CAST(new.ordering_key AS BLOB)) > 255
      THEN RAISE(ABORT, 'limit_exceeded: ordering_key is longer than 255 bytes')
    WHEN typeof(new.ttl_ms) NOT IN ('integer', 'null') OR new.ttl_ms NOT BETWEEN 1 AND 316224000000
      THEN RAISE(ABORT, 'invalid_argument: ttl_ms must be an integer from 1 to 316224000000')
    WHEN typeof(new.unique_key) NOT IN ('text', 'null') OR new.unique_key = ''
      THEN RAISE(ABORT, 'invalid_argument: unique_key must be text and not empty')
    WHEN length(CAST(new.unique_key AS BLOB)) > 255
      THEN RAISE(ABORT, 'limit_exceeded: unique_key is longer than 255 bytes')
    WHEN new.headers IS NULL
      THEN NULL
    WHEN typeof(new.headers) <> 'text' OR NOT json_valid(new.headers)
      THEN RAISE(ABORT, 'invalid_argument: headers must be a JSON object of strings')
    WHEN json_type(new.headers) <> 'object'
         OR EXISTS (SELECT 1 FROM json_each(new.headers) WHERE type <> 'text' OR key = '')
      THEN RAISE(ABORT, 'invalid_argument: headers must be a JSON object of strings')
    WHEN (SELECT count(*) > count(DISTINCT key) FROM json_each(new.headers))
      THEN RAISE(ABORT, 'invalid_argument: a header is named twice')
  END;
  SELECT RAISE(ABORT, 'limit_exceeded: headers, content_type and correlation_id are over 16384 bytes')
   WHERE coalesce(length(CAST(new.content_type AS BLOB)), 0)
       + coalesce(length(CAST(new.correlation_id AS BLOB)), 0)
       + coalesce((SELECT sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)))
                     FROM json_each(new.headers)), 0) > 16384;
  -- A key that is past its window counts until it is forgotten: a trigger has no clock. Better refused
  -- here, where somebody is told, than rejected later. In a UTF-16 file the bytes of a text are not those
  -- that are stored of it.
  SELECT RAISE(ABORT, 'idempotency_conflict: the key was used for a different message')
   WHERE EXISTS (SELECT 1
                   FROM blockqueue_idempotency k
                  WHERE k.topic_id = new.topic_id AND k.key = new.idempotency_key
                    AND (typeof(new.payload) = 'blob' OR length(CAST('a' AS BLOB)) = 1)
                    AND CAST(new.payload AS BLOB) <> CAST(coalesce(
                          (SELECT payload FROM blockqueue_message WHERE id = k.message_id),
                          (SELECT payload FROM blockqueue_message WHERE origin = k.message_id),
                          (SELECT payload FROM blockqueue_delayed WHERE id = k.message_id),
                          new.payload) AS BLOB))
      OR EXISTS (SELECT 1
                   FROM blockqueue_staged s
                  WHERE s.topic_id = new.topic_id AND s.idempotency_key = new.idempotency_key
                    AND CAST(new.payload AS BLOB) <> CAST(s.payload AS BLOB));
  -- Whether a message in a log is settled cannot be said here; one that is staged or waits for its time is
  -- not. The same message again, by its idempotency key, publishes nothing.
  SELECT RAISE(ABORT, 'unique_conflict: an earlier message of the unique key is not settled')
   WHERE EXISTS (SELECT 1
                   FROM blockqueue_staged s
                  WHERE s.topic_id = new.topic_id AND s.unique_key = new.unique_key AND s.id <> new.id
                    AND (new.idempotency_key IS NULL OR s.idempotency_key IS NOT new.idempotency_key))
      OR EXISTS (SELECT 1
                   FROM blockqueue_unique u
                   JOIN blockqueue_delayed d ON d.id = u.message_id
                  WHERE u.topic_id = new.topic_id AND u.key = new.unique_key
                    AND (new.idempotency_key IS NULL OR d.idempotency_key IS NOT new.idempotency_key));
  SELECT RAISE(ABORT, 'backlog_full: the topic holds as much as its limit allows')
    FROM blockqueue_topic t
   WHERE t.id = new.topic_id AND t.backlog_policy = 0
     AND (t.backlog_count IS NOT NULL OR t.backlog_bytes IS NOT NULL)
     AND EXISTS (SELECT 1 FROM blockqueue_subscriber s
                  WHERE s.topic_id = t.id AND s.deleted_at IS NULL)
     AND (coalesce((SELECT message_count FROM blockqueue_backlog WHERE topic_id = t.id), 0)
            + t.delayed_count + 1 > t.backlog_count
          OR coalesce((SELECT size_bytes FROM blockqueue_backlog WHERE topic_id = t.id), 0)
            + t.delayed_bytes + length(CAST(new.payload AS BLOB)) > t.backlog_bytes);
END;

-- --- ack and nack -------------------------------------------------------------------------------------

-- Settlements of committed transactions. The next write group carries them out before anything else, so
-- nothing of ours ever sees a delivery that has one.
CREATE TABLE blockqueue_settling (
  receipt TEXT PRIMARY KEY,
  -- 0 ack, 1 nack.
  verb INTEGER NOT NULL,
  -- Without one, the pause is that of the subscriber's retry policy.
  delay_ms INTEGER,
  error TEXT,
  give_up INTEGER NOT NULL,
  -- Of an ack: what is stored for whoever waits for the result.
  reply,
  reply_content_type TEXT,
  reply_ttl_ms INTEGER
) WITHOUT ROWID;

CREATE VIEW blockqueue_ack AS
SELECT receipt, reply, reply_content_type, reply_ttl_ms FROM blockqueue_settling WHERE verb = 0;

CREATE VIEW blockqueue_nack AS
SELECT receipt, delay_ms, error, give_up FROM blockqueue_settling WHERE verb = 1;

-- The settlement that both become; and the same with its receipt taken apart.
CREATE VIEW blockqueue_settle AS
SELECT receipt, verb, delay_ms, error, give_up, reply, reply_content_type, reply_ttl_ms
  FROM blockqueue_settling;

CREATE VIEW blockqueue_settle_parsed AS
SELECT receipt, 0 AS log_id, 0 AS seq, 0 AS subscriber_id, 0 AS lease_id, verb, delay_ms, error, give_up,
       reply, reply_content_type, reply_ttl_ms
  FROM blockqueue_settling;

CREATE TRIGGER blockqueue_ack_insert INSTEAD OF INSERT ON blockqueue_ack
BEGIN
  INSERT INTO blockqueue_settle (receipt, verb, give_up, reply, reply_content_type, reply_ttl_ms)
  VALUES (new.receipt, 0, 0, new.reply, new.reply_content_type, new.reply_ttl_ms);
END;

CREATE TRIGGER blockqueue_nack_insert INSTEAD OF INSERT ON blockqueue_nack
BEGIN
  INSERT INTO blockqueue_settle (receipt, verb, delay_ms, error, give_up)
  VALUES (new.receipt, 1, new.delay_ms, new.error, coalesce(new.give_up, 0));
END;

-- A receipt is 32 hexadecimal digits of the message's id, 32 of the lease's token, and four numbers, each
-- after a hyphen: log, sequence, subscriber, lease.
CREATE TRIGGER blockqueue_settle_insert INSTEAD OF INSERT ON blockqueue_settle
BEGIN
  INSERT INTO blockqueue_settle_parsed (receipt, log_id, seq, subscriber_id, lease_id, verb, delay_ms,
                                        error, give_up, reply, reply_content_type, reply_ttl_ms)
  SELECT new.receipt, log_id, seq, CAST(substr(rest, 1, instr(rest, '-') - 1) AS INTEGER),
         CAST(substr(rest, instr(rest, '-') + 1) AS INTEGER), new.verb, new.delay_ms, new.error,
         new.give_up, new.reply, new.reply_content_type, new.reply_ttl_ms
    FROM (SELECT log_id, CAST(substr(rest, 1, instr(rest, '-') - 1) AS INTEGER) AS seq,
                 substr(rest, instr(rest, '-') + 1) AS rest
            FROM (SELECT CAST(substr(rest, 1, instr(rest, '-') - 1) AS INTEGER) AS log_id,
                         substr(rest, instr(rest, '-') + 1) AS rest
                    FROM (SELECT substr(new.receipt, 66) AS rest)));
END;

CREATE TRIGGER blockqueue_settle_parsed_insert INSTEAD OF INSERT ON blockqueue_settle_parsed
BEGIN
  -- Put together again it must be the same text: then every part of it was understood.
  SELECT RAISE(ABORT, 'invalid_receipt: this is not a receipt')
   WHERE typeof(new.receipt) <> 'text'
      OR substr(new.receipt, 1, 64) GLOB '*[^0-9a-f]*'
      OR new.log_id > 8388607 OR new.seq > 1099511627775 OR new.lease_id < 0
      OR new.receipt <> substr(new.receipt, 1, 64) || '-' || new.log_id || '-' || new.seq || '-' ||
                        new.subscriber_id || '-' || new.lease_id;
  -- A delivery is settled once; the same settlement again is answered like the first time.
  INSERT INTO blockqueue_settling (receipt, verb, delay_ms, error, give_up, reply, reply_content_type,
                                   reply_ttl_ms)
  SELECT new.receipt, new.verb, new.delay_ms, new.error, new.give_up, new.reply, new.reply_content_type,
         new.reply_ttl_ms
    FROM blockqueue_delivery d
    JOIN blockqueue_lease l ON l.subscriber_id = d.subscriber_id AND l.id = d.lease_id
   WHERE d.subscriber_id = new.subscriber_id AND d.message_id = (new.log_id << 40 | new.seq)
     AND lower(hex(l.token)) = substr(new.receipt, 33, 32)
     AND EXISTS (SELECT 1
                   FROM blockqueue_subscriber s
                   JOIN blockqueue_topic t ON t.id = s.topic_id
                  WHERE s.id = d.subscriber_id AND s.deleted_at IS NULL AND t.deleted_at IS NULL)
     AND NOT EXISTS (SELECT 1 FROM blockqueue_settling WHERE receipt = new.receipt);
  SELECT RAISE(ABORT, 'lease_lost: the delivery is settled or belongs to somebody else now')
   WHERE NOT EXISTS (SELECT 1 FROM blockqueue_settling WHERE receipt = new.receipt AND verb = new.verb);
END;

CREATE TRIGGER blockqueue_settling_check AFTER INSERT ON blockqueue_settling
BEGIN
  SELECT CASE
    WHEN typeof(new.delay_ms) NOT IN ('integer', 'null') OR new.delay_ms NOT BETWEEN 0 AND 31622400000
      THEN RAISE(ABORT, 'invalid_argument: delay_ms must be an integer from 0 to 31622400000')
    WHEN typeof(new.error) NOT IN ('text', 'null')
      THEN RAISE(ABORT, 'invalid_argument: error must be text')
    WHEN typeof(new.give_up) <> 'integer' OR new.give_up NOT IN (0, 1)
      THEN RAISE(ABORT, 'invalid_argument: give_up must be 0 or 1')
    WHEN typeof(new.reply) NOT IN ('text', 'blob', 'null')
      THEN RAISE(ABORT, 'invalid_argument: reply must be text or a blob')
    WHEN new.reply IS NULL AND (new.reply_content_type IS NOT NULL OR new.reply_ttl_ms IS NOT NULL)
      THEN RAISE(ABORT, 'invalid_argument: reply_content_type and reply_ttl_ms belong to a reply')
    WHEN length(CAST(new.reply AS BLOB)) > 1048576
      THEN RAISE(ABORT, 'limit_exceeded: reply is larger than 1048576 bytes')
    WHEN typeof(new.reply_content_type) NOT IN ('text', 'null')
      THEN RAISE(ABORT, 'invalid_argument: reply_content_type must be text')
    WHEN length(CAST(new.reply_content_type AS BLOB)) > 255
      THEN RAISE(ABORT, 'limit_exceeded: reply_content_type is longer than 255 bytes')
    WHEN typeof(new.reply_ttl_ms) NOT IN ('integer', 'null')
         OR new.reply_ttl_ms NOT BETWEEN 1 AND 2678400000
      THEN RAISE(ABORT, 'invalid_argument: reply_ttl_ms must be an integer from 1 to 2678400000')
  END;
END;
