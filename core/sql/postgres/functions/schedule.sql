-- Schedules: their rows and their history, and what the settlement of a message brings to those that wait.
--
-- The engine decides about occurrences (firing.rs); what it has decided is carried out here, if nobody else has
-- decided meanwhile. An occurrence, its message and its place in the history are one transaction. Invariant: a
-- schedule decides about each occurrence once, in order, whatever engines, clocks and crashes do.

CREATE OR REPLACE FUNCTION bq_find_schedule(p_topic blockqueue_topic, p_name text) RETURNS blockqueue_schedule
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_schedule blockqueue_schedule;
BEGIN
  SELECT * INTO v_schedule FROM blockqueue_schedule WHERE topic_id = p_topic.id AND name = p_name;
  IF NOT FOUND THEN
    PERFORM bq_refuse('unknown_schedule', jsonb_build_object('topic', p_topic.name, 'schedule', p_name));
  END IF;
  RETURN v_schedule;
END $$;

-- p_row: columns of the settings.
CREATE OR REPLACE FUNCTION bq_create_schedule(
  p_topic text, p_name text, p_row jsonb, p_body bytea, p_next_at bigint, p_tag int, p_created_at bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_schedule blockqueue_schedule;
  v_count bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM blockqueue_schedule WHERE topic_id = v_topic.id AND name = p_name) THEN
    PERFORM bq_refuse('schedule_exists', jsonb_build_object('topic', p_topic, 'schedule', p_name));
  END IF;
  SELECT count(*) INTO v_count FROM blockqueue_schedule WHERE topic_id = v_topic.id;
  IF v_count >= 1000 THEN
    PERFORM bq_refuse('limit_exceeded', jsonb_build_object('what', 'schedules', 'actual', v_count + 1, 'limit', 1000));
  END IF;
  INSERT INTO blockqueue_schedule (topic_id, name, created_at, cron, timezone, jitter_ms, grace_ms, misfire, overlap,
                                   priority, payload)
  VALUES (v_topic.id, p_name, p_created_at, '', '', 0, 0, 0, 0, 0, '')
  RETURNING * INTO v_schedule;
  PERFORM bq_set_schedule(v_schedule, 1, p_row, p_body);
  PERFORM bq_plan(v_schedule.id, false, p_next_at, p_tag);
  RETURN bq_view_schedule(v_topic, v_schedule.id);
END $$;

CREATE OR REPLACE FUNCTION bq_set_schedule(
  p_schedule blockqueue_schedule, p_version bigint, p_row jsonb, p_body bytea)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_new blockqueue_schedule := jsonb_populate_record(p_schedule, p_row);
BEGIN
  UPDATE blockqueue_schedule
     SET version = p_version, cron = v_new.cron, timezone = v_new.timezone, start_at = v_new.start_at,
         end_at = v_new.end_at, jitter_ms = v_new.jitter_ms, grace_ms = v_new.grace_ms, misfire = v_new.misfire,
         misfire_limit = v_new.misfire_limit, overlap = v_new.overlap, priority = v_new.priority,
         content_type = v_new.content_type, headers = v_new.headers, correlation_id = v_new.correlation_id,
         ordering_key = v_new.ordering_key, ttl_ms = v_new.ttl_ms, payload = p_body
   WHERE id = p_schedule.id;
END $$;

-- Goes on with this occurrence; without one, or paused, with none.
CREATE OR REPLACE FUNCTION bq_plan(p_id bigint, p_paused boolean, p_next_at bigint, p_tag int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_schedule
     SET paused = p_paused, next_at = CASE WHEN NOT p_paused THEN p_next_at END,
         due_at = CASE WHEN NOT p_paused THEN bq_due_at(p_tag, id, jitter_ms, p_next_at) END
   WHERE id = p_id;
END $$;

-- When an occurrence is due, as in firing.rs: the same in every process.
CREATE OR REPLACE FUNCTION bq_due_at(p_tag int, p_id bigint, p_jitter_ms bigint, p_at bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_digest bytea;
  v_number numeric := 0;
BEGIN
  IF p_jitter_ms = 0 OR p_at IS NULL THEN
    RETURN p_at;
  END IF;
  v_digest := sha256(int2send(p_tag::smallint) || int8send(p_id) || int8send(p_at));
  FOR i IN 0 .. 7 LOOP
    v_number := v_number * 256 + get_byte(v_digest, i);
  END LOOP;
  RETURN p_at + mod(v_number, p_jitter_ms + 1)::bigint;
END $$;

-- Settings and time of a schedule, for what the engine decides with: it must not have changed since.
CREATE OR REPLACE FUNCTION bq_check_unchanged(p_schedule blockqueue_schedule, p_last_at bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF p_schedule.last_at IS DISTINCT FROM p_last_at THEN
    PERFORM bq_refuse('changed');
  END IF;
END $$;

CREATE OR REPLACE FUNCTION bq_update_schedule(
  p_topic text, p_name text, p_version bigint, p_row jsonb, p_body bytea, p_next_at bigint, p_last_at bigint,
  p_tag int)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_schedule blockqueue_schedule := bq_find_schedule(v_topic, p_name);
BEGIN
  IF v_schedule.version <> p_version THEN
    PERFORM bq_refuse('stale_version', jsonb_build_object('version', p_version, 'current', v_schedule.version));
  END IF;
  PERFORM bq_check_unchanged(v_schedule, p_last_at);
  PERFORM bq_set_schedule(v_schedule, p_version + 1, p_row, p_body);
  PERFORM bq_plan(v_schedule.id, v_schedule.paused, p_next_at, p_tag);
  RETURN bq_view_schedule(v_topic, v_schedule.id);
END $$;

CREATE OR REPLACE FUNCTION bq_pause_schedule(
  p_topic text, p_name text, p_paused boolean, p_next_at bigint, p_version bigint, p_last_at bigint, p_tag int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_schedule blockqueue_schedule := bq_find_schedule(v_topic, p_name);
BEGIN
  IF v_schedule.paused = p_paused THEN
    RETURN;
  END IF;
  IF v_schedule.version <> p_version THEN
    PERFORM bq_refuse('changed');
  END IF;
  PERFORM bq_check_unchanged(v_schedule, p_last_at);
  PERFORM bq_plan(v_schedule.id, p_paused, p_next_at, p_tag);
END $$;

CREATE OR REPLACE FUNCTION bq_delete_schedule(p_topic text, p_name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_schedule blockqueue_schedule := bq_find_schedule(v_topic, p_name);
BEGIN
  DELETE FROM blockqueue_schedule_run WHERE schedule_id = v_schedule.id;
  DELETE FROM blockqueue_schedule WHERE id = v_schedule.id;
END $$;

CREATE OR REPLACE FUNCTION bq_run_schedule(p_topic text, p_name text, p_now bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_schedule blockqueue_schedule := bq_find_schedule(v_topic, p_name);
BEGIN
  PERFORM bq_publish_scheduled(v_schedule.id, NULL, p_now);
  RETURN bq_record_run(v_schedule.id, 2, NULL, NULL, NULL, p_now);
END $$;

CREATE OR REPLACE FUNCTION bq_view_schedule(p_topic blockqueue_topic, p_id bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(s) - 'payload' || jsonb_build_object('topic', p_topic.name, 'body', encode(s.payload, 'hex'))
    FROM blockqueue_schedule s WHERE s.id = p_id
$$;

-- Publishes the message for an occurrence, or for nobody's; the schedule remembers which it was.
CREATE OR REPLACE FUNCTION bq_publish_scheduled(p_id bigint, p_at bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_schedule blockqueue_schedule;
  v_topic blockqueue_topic;
  v_headers jsonb;
  v_answer jsonb;
BEGIN
  SELECT * INTO v_schedule FROM blockqueue_schedule WHERE id = p_id;
  SELECT * INTO v_topic FROM blockqueue_topic WHERE id = v_schedule.topic_id;
  v_headers := v_schedule.headers;
  IF p_at IS NOT NULL THEN
    v_headers := jsonb_build_object('blockqueue-occurrence', bq_instant(p_at)) || coalesce(v_headers, '{}');
  END IF;
  v_answer := bq_publish(v_topic.name, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
      'size', bq_size_of(v_schedule.payload, v_headers, v_schedule.content_type, v_schedule.correlation_id),
      'priority', nullif(v_schedule.priority, 0), 'content_type', v_schedule.content_type, 'headers', v_headers,
      'correlation_id', v_schedule.correlation_id, 'ordering_key', v_schedule.ordering_key,
      'ttl_ms', v_schedule.ttl_ms))), ARRAY[v_schedule.payload], p_now);
  PERFORM bq_note_appended(v_topic.id, 1);
  UPDATE blockqueue_schedule
     SET message_id = (v_answer -> 'published' -> 0 ->> 0)::bigint,
         message_at = (v_answer -> 'published' -> 0 ->> 1)::bigint
   WHERE id = p_id;
END $$;

-- A time as text, in UTC.
CREATE OR REPLACE FUNCTION bq_instant(p_at bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT to_char(to_timestamp(p_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
      || CASE WHEN p_at % 1000 <> 0 THEN '.' || rtrim(lpad((p_at % 1000)::text, 3, '0'), '0') ELSE '' END || 'Z'
$$;

-- Adds to the history, and forgets its oldest part. A message is that of the schedule's newest publish.
CREATE OR REPLACE FUNCTION bq_record_run(
  p_id bigint, p_status int, p_at bigint, p_until bigint, p_error text, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_schedule blockqueue_schedule;
  v_run blockqueue_schedule_run;
BEGIN
  UPDATE blockqueue_schedule SET run_seq = run_seq + 1 WHERE id = p_id RETURNING * INTO v_schedule;
  INSERT INTO blockqueue_schedule_run (schedule_id, run, status, occurrence_at, until_at, at, message_id, message_at,
                                       error)
  VALUES (p_id, v_schedule.run_seq, p_status, p_at, p_until, p_now,
          CASE WHEN p_status IN (1, 2) THEN v_schedule.message_id END,
          CASE WHEN p_status IN (1, 2) THEN v_schedule.message_at END, p_error)
  RETURNING * INTO v_run;
  DELETE FROM blockqueue_schedule_run WHERE schedule_id = p_id AND run <= v_schedule.run_seq - 1000;
  RETURN to_jsonb(v_run);
END $$;

-- --- fire -----------------------------------------------------------------------------------------------

-- Carries out what was decided about a schedule: p_firing has "id", its next occurrence as it was read ("from")
-- and its version then, the next one now, the newest decided about, what was missed, what to fire; or the error for
-- which it stops.
CREATE OR REPLACE FUNCTION bq_fire(p_firing jsonb, p_tag int, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint := (p_firing ->> 'id')::bigint;
  v_first bigint := (p_firing ->> 'from')::bigint;
  v_next bigint := (p_firing ->> 'next')::bigint;
  v_schedule blockqueue_schedule;
  v_at bigint;
BEGIN
  PERFORM bq_take_turn(topic_id) FROM blockqueue_schedule WHERE id = v_id;
  SELECT * INTO v_schedule
    FROM blockqueue_schedule
   WHERE id = v_id AND next_at = v_first AND version = (p_firing ->> 'version')::bigint AND NOT paused;
  IF NOT FOUND THEN
    -- Somebody else has decided.
    RETURN;
  END IF;
  IF p_firing ? 'error' THEN
    PERFORM bq_plan(v_id, false, NULL, p_tag);
    PERFORM bq_record_run(v_id, 7, v_first, NULL, p_firing ->> 'error', p_now);
    RETURN;
  END IF;
  UPDATE blockqueue_schedule
     SET next_at = v_next, due_at = bq_due_at(p_tag, id, jitter_ms, v_next), last_at = (p_firing ->> 'decided')::bigint
   WHERE id = v_id;
  IF p_firing ? 'missed' THEN
    PERFORM bq_record_run(v_id, 4, (p_firing -> 'missed' ->> 0)::bigint,
                          nullif((p_firing -> 'missed' ->> 1)::bigint, (p_firing -> 'missed' ->> 0)::bigint),
                          NULL, p_now);
  END IF;
  FOR v_at IN SELECT a::bigint FROM jsonb_array_elements(p_firing -> 'fire') a LOOP
    PERFORM bq_fire_occurrence(v_id, v_at, p_now);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION bq_fire_occurrence(p_id bigint, p_at bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_schedule blockqueue_schedule;
BEGIN
  SELECT * INTO v_schedule FROM blockqueue_schedule WHERE id = p_id;
  IF v_schedule.overlap = 0 THEN
    PERFORM bq_fire_now(p_id, p_at, p_now);
  ELSIF v_schedule.queued_at IS NOT NULL THEN
    -- Who waits goes first.
    PERFORM bq_record_run(p_id, 5, p_at, NULL, NULL, p_now);
  ELSIF NOT bq_is_running(v_schedule.topic_id, v_schedule.message_id, p_now) THEN
    PERFORM bq_fire_now(p_id, p_at, p_now);
  ELSIF v_schedule.overlap = 1 THEN
    PERFORM bq_record_run(p_id, 5, p_at, NULL, NULL, p_now);
  ELSE
    UPDATE blockqueue_schedule SET queued_at = p_at WHERE id = p_id;
    PERFORM bq_record_run(p_id, 3, p_at, NULL, NULL, p_now);
  END IF;
END $$;

-- Publishes the message of an occurrence. What the topic refuses is in the history, and not tried again.
CREATE OR REPLACE FUNCTION bq_fire_now(p_id bigint, p_at bigint, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_detail text;
BEGIN
  PERFORM bq_publish_scheduled(p_id, p_at, p_now);
  PERFORM bq_record_run(p_id, 1, p_at, NULL, NULL, p_now);
EXCEPTION WHEN SQLSTATE 'BQ000' THEN
  GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
  PERFORM bq_record_run(p_id, 6, p_at, NULL, CASE v_detail::jsonb ->> 'code'
    WHEN 'backlog_full' THEN format('backlog of topic "%s" is full (%s)', v_detail::jsonb ->> 'topic',
                                    v_detail::jsonb ->> 'what')
    ELSE v_detail::jsonb ->> 'code' END, p_now);
END $$;

-- Whether some subscriber has not settled the message. A dead letter is settled: nobody works on it.
CREATE OR REPLACE FUNCTION bq_is_running(p_topic bigint, p_message bigint, p_now bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  -- One that is not there was cancelled, or settled by all and trimmed.
  RETURN EXISTS (SELECT 1 FROM blockqueue_message WHERE id = p_message)
     AND EXISTS (SELECT 1 FROM blockqueue_subscriber s
                  WHERE s.topic_id = p_topic AND s.deleted_at IS NULL
                    AND bq_standing(s, p_message, p_now) = 'open');
END $$;

-- Fires occurrences that waited for a message which is settled now. The answer is whether there may be more.
CREATE OR REPLACE FUNCTION bq_fire_queued(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
  v_schedule blockqueue_schedule;
  v_fired int := 0;
BEGIN
  FOR v_row IN
    SELECT id, topic_id, message_id FROM blockqueue_schedule
     WHERE queued_at IS NOT NULL AND NOT paused ORDER BY queued_at
  LOOP
    IF v_fired = 16 THEN
      RETURN true;
    END IF;
    -- Topics where there is nothing to do are not disturbed.
    CONTINUE WHEN bq_is_running(v_row.topic_id, v_row.message_id, p_now) OR NOT bq_try_turn(v_row.topic_id);
    SELECT * INTO v_schedule
      FROM blockqueue_schedule WHERE id = v_row.id AND queued_at IS NOT NULL AND NOT paused;
    CONTINUE WHEN NOT FOUND OR bq_is_running(v_schedule.topic_id, v_schedule.message_id, p_now);
    UPDATE blockqueue_schedule SET queued_at = NULL WHERE id = v_row.id;
    PERFORM bq_fire_now(v_row.id, v_schedule.queued_at, p_now);
    v_fired := v_fired + 1;
  END LOOP;
  RETURN false;
END $$;
