-- Publish: append messages to the logs of a topic, or set them aside until they are due.
--
-- Owns sequence numbers, ids and idempotency keys. A message is an object: "size" in bytes, and whatever it
-- has of priority, delay_ms, deliver_at, content_type, headers, correlation_id, idempotency_key,
-- fingerprint, unique_key, ordering_key, ttl_ms; its payload stands in p_bodies at its place. Invariant:
-- within a log, sequence numbers are dense and published_at never goes back.

-- The answer: for each message its key, when it was accepted, when it is due, whether it is a duplicate.
CREATE OR REPLACE FUNCTION bq_publish(p_name text, p_messages jsonb, p_bodies bytea[], p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_name);
  v_plain boolean;
  v_published jsonb;
BEGIN
  v_plain := NOT jsonb_path_exists(
    p_messages, '$[*] ? (exists(@.delay_ms) || exists(@.deliver_at) || exists(@.idempotency_key)
                         || exists(@.unique_key) || exists(@.priority))');
  IF v_plain THEN
    PERFORM bq_check_backlog(v_topic, jsonb_array_length(p_messages),
      (SELECT sum((m ->> 'size')::bigint) FROM jsonb_array_elements(p_messages) m)::bigint, p_now);
    v_published := bq_append_all(v_topic, p_messages, p_bodies, p_now);
  ELSE
    v_published := bq_publish_each(v_topic, p_messages, p_bodies, p_now);
  END IF;
  PERFORM bq_enforce_backlog(v_topic.id, p_now);
  RETURN jsonb_build_object(
    'published', v_published,
    'subscriber_count',
    (SELECT count(*) FROM blockqueue_subscriber WHERE topic_id = v_topic.id AND deleted_at IS NULL));
END $$;

-- Messages of priority 0 that are due and have no keys, in one statement.
CREATE OR REPLACE FUNCTION bq_append_all(
  p_topic blockqueue_topic, p_messages jsonb, p_bodies bytea[], p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint := jsonb_array_length(p_messages);
  v_log blockqueue_log;
  v_at bigint;
  v_size bigint;
  v_expires boolean;
BEGIN
  IF v_count = 0 THEN
    RETURN '[]';
  END IF;
  v_log := bq_log_for(p_topic.id, 0, 0, v_count);
  v_at := greatest(p_now, v_log.published_at);
  WITH given AS (
    SELECT n, meta, body, (meta ->> 'size')::bigint AS size,
           p_now + coalesce((meta ->> 'ttl_ms')::bigint, p_topic.ttl_ms) AS expires_at
      FROM ROWS FROM (jsonb_array_elements(p_messages), unnest(p_bodies)) WITH ORDINALITY given(meta, body, n)),
  added AS (
    INSERT INTO blockqueue_message (id, published_at, position, content_type, headers, correlation_id,
                                    ordering_key, expires_at, payload)
    SELECT bq_key(v_log.id, v_log.last_seq + n), v_at,
           v_log.position + (sum(size) OVER (ORDER BY n) - size)::bigint,
           meta ->> 'content_type', meta -> 'headers', meta ->> 'correlation_id',
           meta ->> 'ordering_key', expires_at, body
      FROM given)
  SELECT sum(size), bool_or(expires_at IS NOT NULL) INTO v_size, v_expires FROM given;
  UPDATE blockqueue_log
     SET last_seq = last_seq + v_count, position = position + v_size, published_at = v_at,
         expiring = expiring OR v_expires
   WHERE id = v_log.id;
  RETURN (SELECT jsonb_agg(jsonb_build_array(bq_key(v_log.id, v_log.last_seq + n), v_at, NULL, false)
                           ORDER BY n)
            FROM generate_series(1, v_count) n);
END $$;

-- Decides about each message, and refuses, before anything is written; then one after the other.
CREATE OR REPLACE FUNCTION bq_publish_each(
  p_topic blockqueue_topic, p_messages jsonb, p_bodies bytea[], p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_message jsonb;
  v_place int := 0;
  -- Earlier messages of the batch, by their keys.
  v_keys jsonb := '{}';
  v_unique jsonb := '{}';
  v_known blockqueue_idempotency;
  v_key text;
  v_plan jsonb[] := '{}';
  v_count bigint := 0;
  v_size bigint := 0;
  v_done jsonb[] := '{}';
  v_new jsonb;
BEGIN
  FOR v_message IN SELECT * FROM jsonb_array_elements(p_messages) LOOP
    v_new := 'null';
    v_key := v_message ->> 'idempotency_key';
    IF v_key IS NOT NULL THEN
      IF v_keys ? v_key THEN
        IF v_keys -> v_key ->> 1 <> v_message ->> 'fingerprint' THEN
          PERFORM bq_refuse('idempotency_conflict', jsonb_build_object('index', v_place, 'key', v_key));
        END IF;
        v_new := v_keys -> v_key -> 0;
      ELSE
        SELECT * INTO v_known
          FROM blockqueue_idempotency
         WHERE topic_id = p_topic.id AND key = v_key AND expires_at > p_now;
        IF FOUND THEN
          IF v_known.fingerprint <> decode(v_message ->> 'fingerprint', 'hex') THEN
            PERFORM bq_refuse('idempotency_conflict', jsonb_build_object('index', v_place, 'key', v_key));
          END IF;
          v_new := jsonb_build_array(v_known.message_id, v_known.accepted_at, v_known.due_at, true);
        END IF;
        v_keys := v_keys || jsonb_build_object(v_key, jsonb_build_array(v_place, v_message ->> 'fingerprint'));
      END IF;
    END IF;
    v_key := v_message ->> 'unique_key';
    IF v_key IS NOT NULL AND v_new = 'null' THEN
      IF v_unique ? v_key THEN
        PERFORM bq_refuse('invalid_argument', jsonb_build_object('detail', format(
          'messages %s and %s have the same unique key', v_unique ->> v_key, v_place)));
      END IF;
      v_unique := v_unique || jsonb_build_object(v_key, v_place);
      PERFORM bq_check_unique(p_topic.id, v_place, v_key, p_now);
    END IF;
    IF v_new = 'null' THEN
      v_count := v_count + 1;
      v_size := v_size + (v_message ->> 'size')::bigint;
    END IF;
    v_plan := v_plan || v_new;
    v_place := v_place + 1;
  END LOOP;
  PERFORM bq_check_backlog(p_topic, v_count, v_size, p_now);
  v_place := 0;
  FOR v_message IN SELECT * FROM jsonb_array_elements(p_messages) LOOP
    v_place := v_place + 1;
    v_new := v_plan[v_place];
    IF v_new = 'null' THEN
      v_new := bq_accept(p_topic, v_message, p_bodies[v_place], p_now);
    ELSIF jsonb_typeof(v_new) = 'number' THEN
      v_new := jsonb_set(v_done[v_new::int + 1], '{3}', 'true');
    END IF;
    v_done := v_done || v_new;
  END LOOP;
  RETURN to_jsonb(v_done);
END $$;

-- One message: appended or set aside, and remembered under its keys.
CREATE OR REPLACE FUNCTION bq_accept(p_topic blockqueue_topic, p_message jsonb, p_body bytea, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_due bigint := coalesce(p_now + (p_message ->> 'delay_ms')::bigint, (p_message ->> 'deliver_at')::bigint);
  v_priority int := coalesce((p_message ->> 'priority')::int, 0);
  v_size bigint := (p_message ->> 'size')::bigint;
  v_expires_at bigint := p_now + coalesce((p_message ->> 'ttl_ms')::bigint, p_topic.ttl_ms);
  v_log blockqueue_log;
  v_key bigint;
  v_at bigint;
BEGIN
  IF v_due <= p_now THEN
    v_due := NULL;
  END IF;
  IF v_due IS NULL THEN
    v_log := bq_log_for(p_topic.id, 0, v_priority, 1);
  ELSE
    -- Its id comes from the topic's origin log and stays with it.
    v_log := bq_log_for(p_topic.id, 1, 0, 1);
  END IF;
  v_key := bq_key(v_log.id, v_log.last_seq + 1);
  v_at := greatest(p_now, v_log.published_at);
  IF v_due IS NULL THEN
    INSERT INTO blockqueue_message (id, published_at, position, content_type, headers, correlation_id,
                                    idempotency_key, ordering_key, expires_at, payload)
    VALUES (v_key, v_at, v_log.position, p_message ->> 'content_type', p_message -> 'headers',
            p_message ->> 'correlation_id', p_message ->> 'idempotency_key',
            p_message ->> 'ordering_key', v_expires_at, p_body);
    UPDATE blockqueue_log
       SET last_seq = last_seq + 1, position = position + v_size, published_at = v_at,
           expiring = expiring OR v_expires_at IS NOT NULL
     WHERE id = v_log.id;
  ELSE
    INSERT INTO blockqueue_delayed (id, topic_id, priority, due_at, accepted_at, size_bytes, content_type,
                                    headers, correlation_id, idempotency_key, ordering_key, expires_at,
                                    payload)
    VALUES (v_key, p_topic.id, v_priority, v_due, v_at, v_size, p_message ->> 'content_type',
            p_message -> 'headers', p_message ->> 'correlation_id', p_message ->> 'idempotency_key',
            p_message ->> 'ordering_key', v_expires_at, p_body);
    UPDATE blockqueue_log SET last_seq = last_seq + 1, published_at = v_at WHERE id = v_log.id;
    UPDATE blockqueue_topic
       SET delayed_count = delayed_count + 1, delayed_bytes = delayed_bytes + v_size
     WHERE id = p_topic.id;
  END IF;
  IF p_message ? 'unique_key' THEN
    INSERT INTO blockqueue_unique (topic_id, key, message_id, accepted_at, look_at)
    VALUES (p_topic.id, p_message ->> 'unique_key', v_key, v_at, coalesce(v_due, p_now) + 60000)
    ON CONFLICT (topic_id, key) DO UPDATE
       SET message_id = excluded.message_id, accepted_at = excluded.accepted_at, look_at = excluded.look_at;
  END IF;
  IF p_message ? 'idempotency_key' THEN
    INSERT INTO blockqueue_idempotency (topic_id, key, message_id, accepted_at, due_at, fingerprint,
                                        expires_at)
    VALUES (p_topic.id, p_message ->> 'idempotency_key', v_key, v_at, v_due,
            decode(p_message ->> 'fingerprint', 'hex'), p_now + p_topic.idempotency_ms)
    ON CONFLICT (topic_id, key) DO UPDATE
       SET message_id = excluded.message_id, accepted_at = excluded.accepted_at, due_at = excluded.due_at,
           fingerprint = excluded.fingerprint, expires_at = excluded.expires_at;
  END IF;
  RETURN jsonb_build_array(v_key, v_at, v_due, false);
END $$;

-- --- unique keys ----------------------------------------------------------------------------------------

-- Every subscriber is done with the message of this key and time of an id: it is settled or a dead letter.
CREATE OR REPLACE FUNCTION bq_is_done(p_topic bigint, p_key bigint, p_at bigint, p_now bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_key bigint;
  v_delayed boolean;
BEGIN
  SELECT * INTO v_key, v_delayed FROM bq_find_message(p_topic, p_key, p_at);
  IF v_key IS NULL OR v_delayed THEN
    RETURN v_key IS NULL;
  END IF;
  RETURN NOT EXISTS (
    SELECT 1 FROM blockqueue_subscriber s
     WHERE s.topic_id = p_topic AND s.deleted_at IS NULL AND bq_standing(s, v_key, p_now) = 'open');
END $$;

-- Where a message in a log stands with a subscriber: open, dead or settled.
CREATE OR REPLACE FUNCTION bq_standing(p_subscriber blockqueue_subscriber, p_key bigint, p_now bigint) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_ahead boolean := bq_cursor(p_subscriber.id, bq_log_of(p_key)) < bq_seq_of(p_key);
  v_alive boolean;
  v_wanted boolean;
  v_state int;
BEGIN
  SELECT coalesce(expires_at > p_now, true), bq_matches(p_subscriber.filter, headers) INTO v_alive, v_wanted
    FROM blockqueue_message WHERE id = p_key;
  SELECT state INTO v_state
    FROM blockqueue_delivery WHERE subscriber_id = p_subscriber.id AND message_id = p_key;
  RETURN CASE
    WHEN v_state = 1 OR (v_state IN (2, 3) AND v_alive) THEN 'open'
    -- Ahead of the cursor, where a seek went back behind it, a dead letter comes alive again.
    WHEN (v_state IS NULL OR v_state = 4) AND v_ahead AND v_alive AND v_wanted THEN 'open'
    WHEN v_state = 4 THEN 'dead'
    ELSE 'settled'
  END;
END $$;

CREATE OR REPLACE FUNCTION bq_check_unique(p_topic bigint, p_place int, p_key text, p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_first blockqueue_unique;
BEGIN
  SELECT * INTO v_first FROM blockqueue_unique WHERE topic_id = p_topic AND key = p_key;
  IF FOUND AND NOT bq_is_done(p_topic, v_first.message_id, v_first.accepted_at, p_now) THEN
    PERFORM bq_refuse('unique_conflict', jsonb_build_object(
      'index', p_place, 'key', p_key, 'first', jsonb_build_array(v_first.message_id, v_first.accepted_at)));
  END IF;
END $$;

-- --- backlog --------------------------------------------------------------------------------------------

-- How far the slowest subscribers are behind: for each log of the topic the slowest cursor and the first
-- message above it.
CREATE OR REPLACE FUNCTION bq_backlog(p_topic bigint)
RETURNS TABLE (log_id bigint, floor_seq bigint, head_id bigint, head_at bigint, count bigint, bytes bigint)
LANGUAGE sql STABLE AS $$
  SELECT l.id, f.seq, h.id, h.published_at, l.last_seq - bq_seq_of(h.id) + 1, l.position - h.position
    FROM blockqueue_log l
   CROSS JOIN LATERAL (SELECT bq_claimed_by_all(l) AS seq) f
    LEFT JOIN LATERAL (
      SELECT m.id, m.published_at, m.position
        FROM blockqueue_message m
       WHERE m.id > bq_key(l.id, f.seq) AND m.id <= bq_key(l.id, l.last_seq)
       ORDER BY m.id LIMIT 1) h ON true
   WHERE l.topic_id = p_topic AND l.kind = 0
$$;

-- Which limit is exceeded, if any.
CREATE OR REPLACE FUNCTION bq_beyond(
  p_topic blockqueue_topic, p_count bigint, p_bytes bigint, p_oldest_at bigint, p_now bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_count > p_topic.backlog_count THEN 'messages'
    WHEN p_bytes > p_topic.backlog_bytes THEN 'bytes'
    WHEN p_now - p_oldest_at > p_topic.backlog_ms THEN 'age'
  END
$$;

-- Refuses a publish beyond the limit, if that is the topic's policy and somebody could lag behind.
CREATE OR REPLACE FUNCTION bq_check_backlog(
  p_topic blockqueue_topic, p_count bigint, p_bytes bigint, p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
  v_bytes bigint;
  v_oldest_at bigint;
  v_what text;
BEGIN
  IF p_topic.backlog_policy <> 0 OR p_count = 0
     OR coalesce(p_topic.backlog_count, p_topic.backlog_bytes, p_topic.backlog_ms) IS NULL
     OR NOT EXISTS (SELECT 1 FROM blockqueue_subscriber
                     WHERE topic_id = p_topic.id AND deleted_at IS NULL) THEN
    RETURN;
  END IF;
  SELECT coalesce(sum(b.count), 0) + p_topic.delayed_count, coalesce(sum(b.bytes), 0) + p_topic.delayed_bytes,
         min(b.head_at)
    INTO v_count, v_bytes, v_oldest_at
    FROM bq_backlog(p_topic.id) b;
  v_what := bq_beyond(p_topic, v_count + p_count, v_bytes + p_bytes, v_oldest_at, p_now);
  IF v_what IS NOT NULL THEN
    PERFORM bq_refuse('backlog_full', jsonb_build_object('topic', p_topic.name, 'what', v_what));
  END IF;
END $$;

-- After a publish: skips the oldest messages beyond the limit, if that is the topic's policy.
CREATE OR REPLACE FUNCTION bq_enforce_backlog(p_topic bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic;
  v_count bigint;
  v_bytes bigint;
  v_oldest_at bigint;
  v_head record;
  v_log blockqueue_log;
BEGIN
  SELECT * INTO v_topic FROM blockqueue_topic WHERE id = p_topic;
  IF v_topic.backlog_policy <> 1
     OR coalesce(v_topic.backlog_count, v_topic.backlog_bytes, v_topic.backlog_ms) IS NULL THEN
    RETURN;
  END IF;
  LOOP
    SELECT coalesce(sum(b.count), 0) + v_topic.delayed_count,
           coalesce(sum(b.bytes), 0) + v_topic.delayed_bytes, min(b.head_at)
      INTO v_count, v_bytes, v_oldest_at
      FROM bq_backlog(p_topic) b;
    EXIT WHEN bq_beyond(v_topic, v_count, v_bytes, v_oldest_at, p_now) IS NULL;
    -- The log of the oldest message, and where the messages of another are older.
    SELECT b.*, lead(b.head_at) OVER oldest AS other_at, lead(b.log_id) OVER oldest AS other_id INTO v_head
      FROM bq_backlog(p_topic) b
     WHERE b.head_id IS NOT NULL
    WINDOW oldest AS (ORDER BY b.head_at, b.log_id)
     ORDER BY b.head_at, b.log_id LIMIT 1;
    EXIT WHEN NOT FOUND;
    SELECT * INTO v_log FROM blockqueue_log WHERE id = v_head.log_id;
    PERFORM bq_drop_up_to(v_log, least(
      v_log.last_seq,
      CASE WHEN v_head.other_at IS NOT NULL
           THEN bq_before_time(v_log, v_head.other_at + (v_log.id < v_head.other_id)::int) END,
      greatest(
        bq_seq_of(v_head.head_id) + v_count - v_topic.backlog_count - 1,
        bq_before_bytes(v_log, v_head.bytes + v_topic.backlog_bytes - v_bytes),
        bq_before_time(v_log, p_now - v_topic.backlog_ms))));
  END LOOP;
END $$;

-- Moves every cursor up to a sequence number.
CREATE OR REPLACE FUNCTION bq_drop_up_to(p_log blockqueue_log, p_seq bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_subscriber blockqueue_subscriber;
  v_cursor bigint;
  v_ahead bigint;
BEGIN
  FOR v_subscriber IN
    SELECT * FROM blockqueue_subscriber WHERE topic_id = p_log.topic_id AND deleted_at IS NULL
  LOOP
    v_cursor := bq_cursor(v_subscriber.id, p_log.id);
    CONTINUE WHEN v_cursor >= p_seq;
    PERFORM bq_move_cursor(v_subscriber.id, p_log.id, p_seq);
    PERFORM bq_note_ended();
    v_ahead := 0;
    IF v_subscriber.ahead_count > 0 THEN
      -- What lay ahead of the cursor is behind it: what was to be skipped holds no message any more.
      SELECT count(*) INTO v_ahead
        FROM blockqueue_delivery
       WHERE subscriber_id = v_subscriber.id
         AND message_id > bq_key(p_log.id, v_cursor) AND message_id <= bq_key(p_log.id, p_seq);
      DELETE FROM blockqueue_delivery
       WHERE subscriber_id = v_subscriber.id AND state = 5
         AND message_id > bq_key(p_log.id, v_cursor) AND message_id <= bq_key(p_log.id, p_seq);
    END IF;
    UPDATE blockqueue_subscriber
       SET dropped_count = dropped_count + p_seq - v_cursor, ahead_count = ahead_count - v_ahead
     WHERE id = v_subscriber.id;
  END LOOP;
END $$;
