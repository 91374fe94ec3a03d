-- Seek: put a subscriber at another place of its topic. Its leased, retrying and parked deliveries end, dead
-- letters stay. A dead letter ahead of the new cursor comes alive again when the cursor gets to it.

-- p_to: "earliest", "latest", {"time"}, {"message": [key, time of its id]}, or {"priority", "sequence"}.
CREATE OR REPLACE FUNCTION bq_seek(p_topic text, p_name text, p_to jsonb, p_dry_run boolean, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_subscriber blockqueue_subscriber := bq_find_subscriber(v_topic, p_name);
  v_log blockqueue_log;
  v_message bigint;
  v_message_at bigint;
  v_delayed boolean;
  v_asked bigint;
  v_floor bigint;
  v_cursor bigint;
  v_logs bigint[] := '{}';
  v_places bigint[] := '{}';
  v_clamped boolean := false;
  v_exact boolean := true;
  v_skipped bigint := 0;
  v_replayed bigint := 0;
BEGIN
  IF p_to ? 'message' THEN
    SELECT * INTO v_message, v_delayed
      FROM bq_find_message(v_topic.id, (p_to -> 'message' ->> 0)::bigint, (p_to -> 'message' ->> 1)::bigint);
    IF v_message IS NULL OR v_delayed THEN
      PERFORM bq_refuse('unknown_message');
    END IF;
    SELECT published_at INTO v_message_at FROM blockqueue_message WHERE id = v_message;
  END IF;
  FOR v_log IN
    SELECT * FROM blockqueue_log WHERE topic_id = v_topic.id AND kind = 0 ORDER BY priority DESC, id
  LOOP
    CONTINUE WHEN p_to ? 'sequence' AND (p_to ->> 'priority')::int <> v_log.priority;
    v_asked := CASE
      WHEN p_to = '"earliest"' THEN 0
      WHEN p_to = '"latest"' THEN v_log.last_seq
      WHEN p_to ? 'time' THEN bq_before_time(v_log, (p_to ->> 'time')::bigint)
      WHEN p_to ? 'sequence' THEN least((p_to ->> 'sequence')::bigint - 1, v_log.last_seq)
      WHEN bq_log_of(v_message) = v_log.id THEN bq_seq_of(v_message) - 1
      ELSE bq_before_time(v_log, v_message_at)
    END;
    -- Something that was published since then has been trimmed.
    v_clamped := v_clamped OR coalesce(v_log.trimmed_at >= CASE
      WHEN p_to ? 'time' THEN (p_to ->> 'time')::bigint
      WHEN p_to ? 'message' AND bq_log_of(v_message) <> v_log.id THEN v_message_at END, false);
    v_floor := bq_floor(v_topic, v_log, p_now);
    v_clamped := v_clamped OR (v_asked < v_floor AND p_to <> '"earliest"');
    v_asked := greatest(v_asked, v_floor);
    v_cursor := bq_cursor(v_subscriber.id, v_log.id);
    v_skipped := v_skipped + greatest(v_asked - v_cursor, 0);
    v_replayed := v_replayed + greatest(v_cursor - v_asked, 0);
    -- Messages that were cancelled count as if they were there.
    v_exact := v_exact AND (v_asked = v_cursor OR v_log.gap_count = 0);
    v_logs := v_logs || v_log.id;
    v_places := v_places || v_asked;
  END LOOP;
  IF p_to ? 'sequence' AND cardinality(v_logs) = 0 THEN
    PERFORM bq_refuse('invalid_argument', jsonb_build_object(
      'detail', 'the topic has no log of priority ' || (p_to ->> 'priority')));
  END IF;
  -- Rows ahead of the cursor: not all that is passed over would have been delivered.
  v_exact := v_exact AND (v_subscriber.ahead_count = 0 OR v_skipped = 0);
  IF NOT p_dry_run THEN
    PERFORM bq_end_all(v_subscriber);
    PERFORM bq_move_cursor(v_subscriber.id, l, s) FROM unnest(v_logs, v_places) AS place(l, s);
    PERFORM bq_look_ahead(v_subscriber);
    PERFORM bq_note_ready(v_subscriber.id);
  END IF;
  RETURN jsonb_build_object('clamped', v_clamped, 'replayed_count', v_replayed, 'skipped_count', v_skipped,
                            'exact', v_exact);
END $$;

-- Ends every leased, retrying and parked delivery of the subscriber.
CREATE OR REPLACE FUNCTION bq_end_all(p_subscriber blockqueue_subscriber) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_keys bigint[];
BEGIN
  WITH gone AS (
    DELETE FROM blockqueue_delivery
     WHERE subscriber_id = p_subscriber.id AND state IN (1, 2, 3)
    RETURNING message_id)
  SELECT array_agg(message_id) INTO v_keys FROM gone;
  DELETE FROM blockqueue_lease WHERE subscriber_id = p_subscriber.id;
  PERFORM bq_let_go(v_keys);
  UPDATE blockqueue_subscriber
     SET leased_count = 0, retrying_count = 0, parked_count = 0, lapsed_count = 0
   WHERE id = p_subscriber.id;
END $$;

-- Counts the rows ahead of the new cursors, and forgets what was to be skipped behind them.
CREATE OR REPLACE FUNCTION bq_look_ahead(p_subscriber blockqueue_subscriber) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM blockqueue_delivery d USING blockqueue_log l
   WHERE d.subscriber_id = p_subscriber.id AND d.state = 5 AND l.topic_id = p_subscriber.topic_id
     AND d.message_id > bq_key(l.id, 0) AND d.message_id <= bq_key(l.id, bq_cursor(p_subscriber.id, l.id));
  UPDATE blockqueue_subscriber
     SET ahead_count = (SELECT count(*)
                          FROM blockqueue_log l
                          JOIN blockqueue_delivery d
                            ON d.subscriber_id = p_subscriber.id
                           AND d.message_id > bq_key(l.id, bq_cursor(p_subscriber.id, l.id))
                           AND d.message_id <= bq_key(l.id, l.last_seq)
                         WHERE l.topic_id = p_subscriber.topic_id AND l.kind = 0)
   WHERE id = p_subscriber.id;
END $$;
