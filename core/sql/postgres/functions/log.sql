-- Logs: where messages go, and places in them.

-- The log that the next messages of this priority go to; made when there is none, or when the sequence
-- numbers of the open one do not suffice. The turn at the topic is the lock of its logs: sequence numbers
-- become visible in their order.
CREATE OR REPLACE FUNCTION bq_log_for(p_topic bigint, p_kind int, p_priority int, p_count bigint)
RETURNS blockqueue_log LANGUAGE plpgsql AS $$
DECLARE
  v_log blockqueue_log;
BEGIN
  SELECT * INTO v_log
    FROM blockqueue_log
   WHERE topic_id = p_topic AND kind = p_kind AND priority = p_priority AND NOT closed;
  IF FOUND AND v_log.last_seq <= 1099511627775 - p_count THEN
    RETURN v_log;
  END IF;
  UPDATE blockqueue_log SET closed = true WHERE id = v_log.id;
  INSERT INTO blockqueue_log (topic_id, kind, priority) VALUES (p_topic, p_kind, p_priority)
  RETURNING * INTO v_log;
  RETURN v_log;
END $$;

-- The sequence number of the last message published before a time. Times never go back within a log, so
-- places are found by halving with one key probe each.
CREATE OR REPLACE FUNCTION bq_before_time(p_log blockqueue_log, p_at bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_low bigint := p_log.trim_seq;
  v_high bigint := p_log.last_seq;
  v_middle bigint;
  v_id bigint;
  v_at bigint;
BEGIN
  WHILE v_low < v_high LOOP
    v_middle := v_low + (v_high - v_low) / 2;
    SELECT id, published_at INTO v_id, v_at
      FROM blockqueue_message
     WHERE id > bq_key(p_log.id, v_middle) AND id <= bq_key(p_log.id, p_log.last_seq)
     ORDER BY id LIMIT 1;
    IF FOUND AND v_at < p_at THEN
      v_low := bq_seq_of(v_id);
    ELSE
      v_high := v_middle;
    END IF;
  END LOOP;
  RETURN v_low;
END $$;

-- The sequence number up to which the log is beyond its newest so many bytes.
CREATE OR REPLACE FUNCTION bq_before_bytes(p_log blockqueue_log, p_kept bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_low bigint := p_log.trim_seq;
  v_high bigint := p_log.last_seq;
  v_middle bigint;
  v_id bigint;
  v_position bigint;
BEGIN
  WHILE v_low < v_high LOOP
    v_middle := v_low + (v_high - v_low) / 2;
    SELECT id, position INTO v_id, v_position
      FROM blockqueue_message
     WHERE id > bq_key(p_log.id, v_middle) AND id <= bq_key(p_log.id, p_log.last_seq)
     ORDER BY id LIMIT 1;
    IF FOUND AND p_log.position - v_position > p_kept THEN
      v_low := bq_seq_of(v_id);
    ELSE
      v_high := v_middle;
    END IF;
  END LOOP;
  RETURN v_low;
END $$;

-- Bytes of a log above a sequence number.
CREATE OR REPLACE FUNCTION bq_bytes_above(p_log blockqueue_log, p_seq bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce(p_log.position - (
    SELECT position FROM blockqueue_message
     WHERE id > bq_key(p_log.id, p_seq) AND id <= bq_key(p_log.id, p_log.last_seq)
     ORDER BY id LIMIT 1), 0)
$$;

-- What all subscribers of a topic have claimed or skipped of a log.
CREATE OR REPLACE FUNCTION bq_claimed_by_all(p_log blockqueue_log) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT min(coalesce(c.seq, 0))
       FROM blockqueue_subscriber s
       LEFT JOIN blockqueue_cursor c ON c.subscriber_id = s.id AND c.log_id = p_log.id
      WHERE s.topic_id = p_log.topic_id AND s.deleted_at IS NULL),
    p_log.last_seq)
$$;

-- The part of a log that a topic holds beyond its newest messages or bytes. The logs of different priorities
-- are one by the time of their messages.
CREATE OR REPLACE FUNCTION bq_surplus(p_topic blockqueue_topic, p_log blockqueue_log) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_by_count boolean := p_topic.retention_count IS NOT NULL;
  v_kept bigint := coalesce(p_topic.retention_count, p_topic.retention_bytes);
  v_logs int;
  v_low bigint := 0;
  v_high bigint := p_log.published_at + 2;
  v_middle bigint;
  v_held bigint;
  v_fits boolean;
BEGIN
  SELECT count(*) INTO v_logs FROM blockqueue_log WHERE topic_id = p_topic.id AND kind = 0;
  IF v_logs = 1 THEN
    RETURN CASE WHEN v_by_count THEN greatest(p_log.last_seq - v_kept, 0)
                ELSE bq_before_bytes(p_log, v_kept) END;
  END IF;
  -- The first time since which all logs together hold no more than is kept.
  WHILE v_low < v_high LOOP
    v_middle := v_low + (v_high - v_low) / 2;
    SELECT coalesce(sum(CASE WHEN v_by_count THEN l.last_seq - bq_before_time(l, v_middle)
                             ELSE bq_bytes_above(l, bq_before_time(l, v_middle)) END), 0)
      INTO v_held
      FROM blockqueue_log l
     WHERE l.topic_id = p_topic.id AND l.kind = 0;
    v_fits := CASE WHEN v_by_count THEN v_held < v_kept ELSE v_held <= v_kept END;
    IF v_fits THEN
      v_high := v_middle;
    ELSE
      v_low := v_middle + 1;
    END IF;
  END LOOP;
  -- So many are kept at least: those of one time are kept together.
  RETURN bq_before_time(p_log, CASE WHEN v_by_count THEN v_low - 1 ELSE v_low END);
END $$;

-- Everything in the log at or below this is not kept: retention has passed, and nobody wants it.
CREATE OR REPLACE FUNCTION bq_floor(p_topic blockqueue_topic, p_log blockqueue_log, p_now bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_allowed bigint := p_log.last_seq;
BEGIN
  IF p_topic.retention_ms IS NOT NULL THEN
    v_allowed := bq_before_time(p_log, p_now - p_topic.retention_ms + 1);
  ELSIF p_topic.retention_count IS NOT NULL OR p_topic.retention_bytes IS NOT NULL THEN
    v_allowed := bq_surplus(p_topic, p_log);
  END IF;
  RETURN greatest(least(v_allowed, bq_claimed_by_all(p_log)), p_log.trim_seq);
END $$;

-- The row of a message by the key and time of its id: its key now, or that it waits for its time.
CREATE OR REPLACE FUNCTION bq_find_message(
  p_topic bigint, p_key bigint, p_at bigint, OUT o_key bigint, OUT o_delayed boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  o_delayed := false;
  PERFORM 1 FROM blockqueue_log WHERE id = bq_log_of(p_key) AND topic_id = p_topic;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT id INTO o_key
    FROM blockqueue_message WHERE id = p_key AND published_at = p_at AND origin IS NULL;
  IF NOT FOUND THEN
    SELECT id INTO o_key FROM blockqueue_message WHERE origin = p_key AND accepted_at = p_at;
  END IF;
  IF NOT FOUND THEN
    SELECT id INTO o_key FROM blockqueue_delayed WHERE id = p_key AND accepted_at = p_at;
    o_delayed := FOUND;
  END IF;
END $$;
