-- A group of operations in one statement, which is one transaction and one round trip.
--
-- A failing operation is undone alone, and answered with its error; anything unforeseen fails the group. Invariant:
-- a group is done once, however often it is sent under its id.

-- p_topics, p_subscribers: what the operations are about, for turns in the order of ids. p_again: it may have been
-- done before. p_now: the time of a test; NULL: the server's. The answer has a row for each operation, one for each
-- claim, and a last one with what the engine is told.
CREATE OR REPLACE FUNCTION bq_apply(
  p_group uuid, p_again boolean, p_now bigint, p_tag int, p_topics text[], p_subscribers bigint[], p_ops jsonb,
  p_claims jsonb, p_bodies bytea[])
RETURNS TABLE (answer jsonb, bodies bytea[]) LANGUAGE plpgsql AS $$
DECLARE
  v_op jsonb;
  v_claim jsonb;
  v_now bigint;
  v_more boolean;
  v_outcomes jsonb[] := '{}';
  v_stored jsonb;
  v_detail text;
BEGIN
  PERFORM bq_take_turn(id)
     FROM (SELECT id FROM blockqueue_topic WHERE name = ANY (p_topics) AND deleted_at IS NULL
            UNION
           SELECT topic_id FROM blockqueue_subscriber WHERE id = ANY (p_subscribers)
            ORDER BY 1) topics;
  v_now := coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  IF p_again THEN
    SELECT outcomes INTO v_stored FROM blockqueue_group WHERE id = p_group;
    IF FOUND THEN
      RETURN QUERY SELECT bq_recall(o, v_now), '{}'::bytea[] FROM jsonb_array_elements(v_stored) o;
      RETURN QUERY SELECT bq_told(v_now, true), '{}'::bytea[];
      RETURN;
    END IF;
  END IF;
  v_more := bq_bring(v_now);
  FOR v_op IN SELECT * FROM jsonb_array_elements(p_ops) LOOP
    answer := bq_run(v_op, p_bodies, p_tag, v_now);
    bodies := '{}';
    v_outcomes := v_outcomes || answer;
    RETURN NEXT;
  END LOOP;
  IF p_ops <> '[]' THEN
    v_more := bq_fire_queued(v_now) OR v_more;
  END IF;
  FOR v_claim IN SELECT * FROM jsonb_array_elements(p_claims) LOOP
    BEGIN
      SELECT jsonb_build_object('ok', c.o_answer), c.o_bodies INTO answer, bodies FROM bq_claim(v_claim, v_now) c;
    EXCEPTION WHEN SQLSTATE 'BQ000' THEN
      GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
      answer := jsonb_build_object('error', v_detail::jsonb);
      bodies := '{}';
    END;
    -- What was claimed need not be remembered, only by which lease.
    v_outcomes := v_outcomes || (answer #- '{ok,deliveries}');
    RETURN NEXT;
  END LOOP;
  -- Whoever has written nothing need not say so.
  IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
    INSERT INTO blockqueue_group (id, done_at, outcomes) VALUES (p_group, v_now, to_jsonb(v_outcomes));
    IF bq_noted('ready') <> '' OR bq_noted('appended') <> '' OR bq_noted('loud') <> '' THEN
      PERFORM bq_announce();
    END IF;
  END IF;
  answer := bq_told(v_now, v_more);
  bodies := '{}';
  RETURN NEXT;
END $$;

-- What the engine is told at the end of a group.
CREATE OR REPLACE FUNCTION bq_told(p_now bigint, p_more boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_due bigint := bq_next_due(p_now);
BEGIN
  RETURN jsonb_build_object(
    'now', p_now, 'more', p_more,
    -- What is due still waits for somebody: whoever has the turn, or an application that is settling it.
    'next_due', CASE WHEN v_due <= p_now THEN p_now + 50 ELSE v_due END, 'ended', bq_noted('ended') <> '',
    'next_schedule', (SELECT due_at FROM blockqueue_schedule WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1),
    'ready', CASE WHEN bq_noted('ready') = '' THEN '[]' ELSE (
      SELECT coalesce(jsonb_agg(jsonb_build_array(t.name, s.name, bq_when_next(s.id, p_now))), '[]')
        FROM blockqueue_subscriber s JOIN blockqueue_topic t ON t.id = s.topic_id
       WHERE s.id = ANY (string_to_array(
         trim(regexp_replace(bq_noted('ready'), ' +', ' ', 'g')), ' ')::bigint[])) END,
    'appended', CASE WHEN bq_noted('appended') = '' THEN '[]' ELSE (
      SELECT coalesce(jsonb_agg(jsonb_build_array(t.name, split_part(n, ':', 2)::bigint)), '[]')
        FROM regexp_split_to_table(trim(bq_noted('appended')), ' ') n
        JOIN blockqueue_topic t ON t.id = split_part(n, ':', 1)::bigint) END);
END $$;

-- The answer that was given before. What a claim got then, nobody has seen: it is given back.
CREATE OR REPLACE FUNCTION bq_recall(p_outcome jsonb, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF p_outcome -> 'ok' ? 'lease' THEN
    PERFORM bq_release(coalesce(jsonb_agg(jsonb_build_object(
         'key', d.message_id, 'subscriber', d.subscriber_id, 'token', p_outcome -> 'ok' ->> 'token')), '[]'), p_now)
       FROM blockqueue_lease l
      CROSS JOIN LATERAL bq_each_run(l.runs) r
      CROSS JOIN LATERAL (
        SELECT * FROM blockqueue_delivery
         WHERE subscriber_id = l.subscriber_id AND message_id BETWEEN r.first AND r.last AND lease_id = l.id
        OFFSET 0) d
      WHERE l.subscriber_id = (p_outcome -> 'ok' ->> 'subscriber_id')::bigint
        AND l.id = (p_outcome -> 'ok' ->> 'lease')::bigint;
    RETURN jsonb_build_object('ok', jsonb_build_object('next_due', p_now));
  END IF;
  RETURN p_outcome;
END $$;

-- One operation, undone if it is refused. Publishes of several callers to one topic are done together; if that is
-- refused, each is done alone.
CREATE OR REPLACE FUNCTION bq_run(p_op jsonb, p_bodies bytea[], p_tag int, p_now bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_detail text;
  v_error jsonb;
  v_part jsonb;
  v_parts jsonb[] := '{}';
  v_from int := 0;
BEGIN
  BEGIN
    RETURN jsonb_build_object('ok', bq_do(p_op, p_bodies, p_tag, p_now));
  EXCEPTION WHEN SQLSTATE 'BQ000' THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    v_error := jsonb_build_object('error', v_detail::jsonb);
  END;
  IF coalesce(jsonb_array_length(p_op -> 'parts'), 1) = 1 OR v_error -> 'error' ->> 'code' = 'unknown_topic' THEN
    RETURN v_error;
  END IF;
  FOR v_part IN SELECT * FROM jsonb_array_elements(p_op -> 'parts') LOOP
    v_parts := v_parts || bq_run(p_op || jsonb_build_object(
      'first', (p_op ->> 'first')::int + v_from, 'parts', jsonb_build_array(v_part),
      'messages', (SELECT coalesce(jsonb_agg(m ORDER BY n), '[]')
                     FROM jsonb_array_elements(p_op -> 'messages') WITH ORDINALITY m(m, n)
                    WHERE n > v_from AND n <= v_from + v_part::int)), p_bodies, p_tag, p_now);
    v_from := v_from + v_part::int;
  END LOOP;
  RETURN jsonb_build_object('parts', v_parts);
END $$;

-- Operations that others may wait for: their engines are told.
CREATE OR REPLACE FUNCTION bq_do(p_op jsonb, p_bodies bytea[], p_tag int, p_now bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_first int := (p_op ->> 'first')::int;
  v_topic text := p_op ->> 'topic';
  v_name text := p_op ->> 'name';
  v_id bigint;
  v_of blockqueue_topic;
BEGIN
  IF p_op ->> 'op' NOT IN ('ack', 'settle', 'release', 'upkeep') THEN
    PERFORM set_config('bq.loud', 'yes', true);
  END IF;
  CASE p_op ->> 'op'
  WHEN 'publish' THEN
    RETURN bq_publish(v_topic, p_op -> 'messages',
                      p_bodies[v_first : v_first + jsonb_array_length(p_op -> 'messages') - 1], p_now);
  WHEN 'ack', 'settle' THEN
    RETURN bq_settle(p_op -> 'items', p_bodies, p_now);
  WHEN 'release' THEN
    PERFORM bq_release(p_op -> 'items', p_now);
  WHEN 'upkeep' THEN
    RETURN to_jsonb(bq_upkeep(p_now));
  WHEN 'create_topic' THEN
    RETURN bq_create_topic(v_topic, p_op -> 'options', p_op -> 'subscribers', p_now);
  WHEN 'update_topic' THEN
    v_of := bq_topic(v_topic);
    RETURN bq_view_topic(bq_set_topic(v_of, p_op -> 'options'));
  WHEN 'delete_topic' THEN
    PERFORM bq_delete_topic(v_topic, p_now);
  WHEN 'pause_topic' THEN
    v_of := bq_topic(v_topic);
    UPDATE blockqueue_topic SET paused = (p_op ->> 'paused')::boolean WHERE id = v_of.id;
  WHEN 'create_subscribers' THEN
    RETURN bq_create_subscribers(v_topic, p_op -> 'subscribers', p_now);
  WHEN 'update_subscriber' THEN
    RETURN bq_update_subscriber(v_topic, v_name, p_op -> 'options', p_now);
  WHEN 'delete_subscriber' THEN
    v_of := bq_topic(v_topic);
    v_id := (bq_find_subscriber(v_of, v_name)).id;
    UPDATE blockqueue_subscriber SET deleted_at = p_now WHERE id = v_id;
  WHEN 'pause_subscriber' THEN
    v_of := bq_topic(v_topic);
    v_id := (bq_find_subscriber(v_of, v_name)).id;
    UPDATE blockqueue_subscriber SET paused = (p_op ->> 'paused')::boolean WHERE id = v_id;
  WHEN 'cancel_message' THEN
    RETURN bq_cancel_message(v_topic, (p_op ->> 'key')::bigint, (p_op ->> 'at')::bigint, p_now);
  WHEN 'cancel_delivery' THEN
    PERFORM bq_cancel_delivery(v_topic, v_name, (p_op ->> 'key')::bigint, (p_op ->> 'at')::bigint,
                               p_op ->> 'reason', p_now);
  WHEN 'redrive', 'purge' THEN
    RETURN bq_dead_letters(v_topic, v_name, p_op, p_op ->> 'op' = 'purge', p_tag, p_now);
  WHEN 'seek' THEN
    RETURN bq_seek(v_topic, v_name, p_op -> 'to', (p_op ->> 'dry_run')::boolean, p_now);
  WHEN 'create_schedule' THEN
    RETURN bq_create_schedule(v_topic, v_name, p_op -> 'row', p_bodies[v_first], (p_op ->> 'next_at')::bigint, p_tag,
                              (p_op ->> 'created_at')::bigint);
  WHEN 'update_schedule' THEN
    RETURN bq_update_schedule(v_topic, v_name, (p_op ->> 'version')::bigint, p_op -> 'row', p_bodies[v_first],
                              (p_op ->> 'next_at')::bigint, (p_op ->> 'last_at')::bigint, p_tag);
  WHEN 'pause_schedule' THEN
    PERFORM bq_pause_schedule(v_topic, v_name, (p_op ->> 'paused')::boolean, (p_op ->> 'next_at')::bigint,
                              (p_op ->> 'version')::bigint, (p_op ->> 'last_at')::bigint, p_tag);
  WHEN 'delete_schedule' THEN
    PERFORM bq_delete_schedule(v_topic, v_name);
  WHEN 'run_schedule' THEN
    RETURN bq_run_schedule(v_topic, v_name, p_now);
  WHEN 'fire' THEN
    PERFORM bq_fire(p_op, p_tag, p_now);
  WHEN 'none' THEN
    NULL;
  END CASE;
  RETURN 'true';
END $$;
