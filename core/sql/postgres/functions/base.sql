-- What all verbs share: refusals, turns, names, and notes of what a group has done.
--
-- Parameters begin with p_, variables with v_. A verb that refuses raises BQ000 with the code as its message
-- and the fields of the error as its detail; the block around the operation undoes what it has written.
-- Times are milliseconds since 1970, keys of messages log << 40 | sequence, as in the tables.

CREATE OR REPLACE FUNCTION bq_refuse(p_code text, p_fields jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'BQ000', MESSAGE = p_code,
    DETAIL = (p_fields || jsonb_build_object('code', p_code))::text;
END $$;

-- Its turn at a topic, kept until the transaction ends. Whatever belongs to a topic (its logs, subscribers,
-- deliveries, schedules) is written only by whoever has it. In the order of ids, so that nobody waits in a
-- circle.
CREATE OR REPLACE FUNCTION bq_take_turn(p_topic bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock('blockqueue_topic'::regclass::oid::int, (p_topic & 2147483647)::int);
END $$;

-- The same without waiting, for what time brings: whoever has the turn sees to it.
CREATE OR REPLACE FUNCTION bq_try_turn(p_topic bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN pg_try_advisory_xact_lock('blockqueue_topic'::regclass::oid::int, (p_topic & 2147483647)::int);
END $$;

CREATE OR REPLACE FUNCTION bq_find_topic(p_name text) RETURNS blockqueue_topic LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_topic blockqueue_topic;
BEGIN
  SELECT * INTO v_topic FROM blockqueue_topic WHERE name = p_name AND deleted_at IS NULL;
  IF NOT FOUND THEN
    PERFORM bq_refuse('unknown_topic', jsonb_build_object('topic', p_name));
  END IF;
  RETURN v_topic;
END $$;

-- A live topic, and the turn at it.
CREATE OR REPLACE FUNCTION bq_topic(p_name text) RETURNS blockqueue_topic LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint;
  v_topic blockqueue_topic;
BEGIN
  LOOP
    SELECT id INTO v_id FROM blockqueue_topic WHERE name = p_name AND deleted_at IS NULL;
    IF NOT FOUND THEN
      PERFORM bq_refuse('unknown_topic', jsonb_build_object('topic', p_name));
    END IF;
    PERFORM bq_take_turn(v_id);
    -- It may have been deleted, and made anew, while others had their turns.
    SELECT * INTO v_topic FROM blockqueue_topic WHERE id = v_id AND deleted_at IS NULL;
    IF FOUND THEN
      RETURN v_topic;
    END IF;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION bq_find_subscriber(p_topic blockqueue_topic, p_name text)
RETURNS blockqueue_subscriber LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_subscriber blockqueue_subscriber;
BEGIN
  SELECT * INTO v_subscriber
    FROM blockqueue_subscriber
   WHERE topic_id = p_topic.id AND name = p_name AND deleted_at IS NULL;
  IF NOT FOUND THEN
    PERFORM bq_refuse('unknown_subscriber',
                      jsonb_build_object('topic', p_topic.name, 'subscriber', p_name));
  END IF;
  RETURN v_subscriber;
END $$;

CREATE OR REPLACE FUNCTION bq_key(p_log bigint, p_seq bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT p_log << 40 | p_seq $$;

CREATE OR REPLACE FUNCTION bq_log_of(p_key bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT p_key >> 40 $$;

CREATE OR REPLACE FUNCTION bq_seq_of(p_key bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT p_key & 1099511627775 $$;

CREATE OR REPLACE FUNCTION bq_cursor(p_subscriber bigint, p_log bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT seq FROM blockqueue_cursor WHERE subscriber_id = p_subscriber AND log_id = p_log), 0)
$$;

CREATE OR REPLACE FUNCTION bq_move_cursor(p_subscriber bigint, p_log bigint, p_seq bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO blockqueue_cursor (subscriber_id, log_id, seq) VALUES (p_subscriber, p_log, p_seq)
  ON CONFLICT (subscriber_id, log_id) DO UPDATE SET seq = excluded.seq;
END $$;

-- --- notes ----------------------------------------------------------------------------------------------
-- Settings of the transaction carry what the end of the group tells the engine: they are undone together
-- with an operation that is.

-- Something may be claimable of this subscriber now or later.
CREATE OR REPLACE FUNCTION bq_note_ready(p_subscriber bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_noted text := coalesce(current_setting('bq.ready', true), '');
BEGIN
  IF position(' ' || p_subscriber || ' ' IN v_noted) = 0 THEN
    PERFORM set_config('bq.ready', v_noted || ' ' || p_subscriber || ' ', true);
  END IF;
END $$;

-- Messages were appended that the engine did not ask for: by time, or by an application.
CREATE OR REPLACE FUNCTION bq_note_appended(p_topic bigint, p_count bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('bq.appended',
    coalesce(current_setting('bq.appended', true), '') || p_topic || ':' || p_count || ' ', true);
END $$;

-- Deliveries have ended of which the engine does not know.
CREATE OR REPLACE FUNCTION bq_note_ended() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('bq.ended', 'yes', true);
END $$;

CREATE OR REPLACE FUNCTION bq_noted(p_name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN coalesce(current_setting('bq.' || p_name, true), '');
END $$;
