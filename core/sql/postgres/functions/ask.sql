-- Queries: each answered from one snapshot, at a cost that does not grow with the backlog. Nothing is locked.
--
-- The answer is an object; messages in it stand in the order of their payloads in o_bodies.

CREATE OR REPLACE FUNCTION bq_ask(
  p_query jsonb, p_now bigint, OUT o_answer jsonb, OUT o_bodies bytea[]) LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now bigint := coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  v_limit bigint := (p_query ->> 'limit')::bigint;
  v_topic blockqueue_topic;
  v_subscriber blockqueue_subscriber;
  v_id bigint;
BEGIN
  o_bodies := '{}';
  IF p_query ? 'topic' THEN
    v_topic := bq_find_topic(p_query ->> 'topic');
  END IF;
  IF p_query ? 'subscriber' THEN
    v_subscriber := bq_find_subscriber(v_topic, p_query ->> 'subscriber');
  END IF;
  CASE p_query ->> 'query'
  WHEN 'topic' THEN
    o_answer := bq_view_topic(v_topic);
  WHEN 'topics' THEN
    SELECT coalesce(jsonb_agg(bq_view_topic(t) ORDER BY t.name), '[]') INTO o_answer
      FROM (SELECT * FROM blockqueue_topic
             WHERE deleted_at IS NULL AND name > coalesce(p_query ->> 'after', '') ORDER BY name LIMIT v_limit) t;
  WHEN 'subscriber' THEN
    o_answer := bq_view_subscriber(v_topic, v_subscriber);
  WHEN 'subscribers' THEN
    SELECT coalesce(jsonb_agg(bq_view_subscriber(v_topic, s) ORDER BY s.name), '[]') INTO o_answer
      FROM (SELECT * FROM blockqueue_subscriber
             WHERE topic_id = v_topic.id AND deleted_at IS NULL AND name > coalesce(p_query ->> 'after', '')
             ORDER BY name LIMIT v_limit) s;
  WHEN 'topic_stats' THEN
    o_answer := bq_topic_stats(v_topic, v_now);
  WHEN 'subscriber_stats' THEN
    o_answer := bq_subscriber_stats(v_topic, v_subscriber, v_now);
  WHEN 'message' THEN
    SELECT q.o_answer, q.o_bodies INTO o_answer, o_bodies
      FROM bq_look_message(v_topic, (p_query ->> 'key')::bigint, (p_query ->> 'at')::bigint, v_now) q;
  WHEN 'peek' THEN
    SELECT q.o_answer, q.o_bodies INTO o_answer, o_bodies
      FROM bq_peek(v_topic, v_subscriber, v_limit, (p_query -> 'after' ->> 0)::bigint,
                   (p_query -> 'after' ->> 1)::bigint, v_now) q;
  WHEN 'dead_letters' THEN
    SELECT coalesce(jsonb_agg(bq_view_message(m.message) || jsonb_build_object(
             'attempts', d.attempts, 'failures', d.failures, 'dead_at', d.ready_at,
             'error', (SELECT f.error FROM blockqueue_failure f
                        WHERE f.message_id = d.message_id AND f.subscriber_id = d.subscriber_id
                        ORDER BY f.failure DESC LIMIT 1)) ORDER BY d.ready_at, d.message_id), '[]'),
           coalesce(array_agg((m.message).payload ORDER BY d.ready_at, d.message_id), '{}')
      INTO o_answer, o_bodies
      FROM (SELECT *, sum(size) OVER (ORDER BY ready_at, message_id) - size AS before
              FROM (SELECT d.*, (SELECT bq_size(m) FROM blockqueue_message m WHERE m.id = d.message_id) AS size
                      FROM blockqueue_delivery d
                     WHERE d.subscriber_id = v_subscriber.id AND d.state = 4
                       AND (d.ready_at, d.message_id)
                           > (coalesce((p_query -> 'after' ->> 0)::bigint, -9223372036854775808),
                              coalesce((p_query -> 'after' ->> 1)::bigint, 0))
                     ORDER BY d.ready_at, d.message_id LIMIT v_limit) page) d
     CROSS JOIN LATERAL (
       SELECT message FROM blockqueue_message message WHERE id = d.message_id LIMIT 1) m
     WHERE d.before < 16777216;
  WHEN 'failures' THEN
    SELECT f.o_key INTO v_id
      FROM bq_find_message(v_topic.id, (p_query ->> 'key')::bigint, (p_query ->> 'at')::bigint) f;
    IF v_id IS NULL THEN
      PERFORM bq_refuse('unknown_message');
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_build_array(failure, error, failed_at) ORDER BY failure), '[]') INTO o_answer
      FROM (SELECT * FROM blockqueue_failure
             WHERE message_id = v_id AND subscriber_id = v_subscriber.id
               AND failure > coalesce((p_query -> 'after' ->> 0)::int, 0)
             ORDER BY failure LIMIT v_limit) f;
  WHEN 'schedule' THEN
    o_answer := bq_view_schedule(v_topic, (bq_find_schedule(v_topic, p_query ->> 'schedule')).id);
  WHEN 'schedules' THEN
    SELECT coalesce(jsonb_agg(bq_view_schedule(v_topic, s.id) ORDER BY s.name), '[]') INTO o_answer
      FROM (SELECT id, name FROM blockqueue_schedule
             WHERE topic_id = v_topic.id AND name > coalesce(p_query ->> 'after', '')
             ORDER BY name LIMIT v_limit) s;
  WHEN 'schedule_runs' THEN
    v_id := (bq_find_schedule(v_topic, p_query ->> 'schedule')).id;
    SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.run DESC), '[]') INTO o_answer
      FROM (SELECT * FROM blockqueue_schedule_run
             WHERE schedule_id = v_id AND run < coalesce((p_query -> 'after' ->> 0)::bigint, 9223372036854775807)
             ORDER BY run DESC LIMIT v_limit) r;
  WHEN 'due_schedules' THEN
    SELECT coalesce(jsonb_agg(bq_view_schedule(t, s.id) || jsonb_build_object('now', v_now)), '[]') INTO o_answer
      FROM (SELECT id, topic_id FROM blockqueue_schedule WHERE due_at <= v_now ORDER BY due_at LIMIT 32) s
      JOIN blockqueue_topic t ON t.id = s.topic_id;
  WHEN 'result' THEN
    SELECT q.o_answer, q.o_bodies INTO o_answer, o_bodies
      FROM bq_look_result(v_topic, v_subscriber, (p_query ->> 'key')::bigint, (p_query ->> 'at')::bigint, v_now) q;
  WHEN 'look' THEN
    o_answer := jsonb_build_object('now', v_now, 'next_due', bq_next_due(v_now), 'ready', (
      SELECT coalesce(jsonb_agg(jsonb_build_array(w.v ->> 0, w.v ->> 1,
               CASE WHEN s.id IS NULL THEN v_now
                    WHEN s.sifted_key IS NOT NULL AND NOT s.paused AND NOT t.paused THEN v_now
                    ELSE bq_when_next(s.id, v_now) END)), '[]')
        FROM jsonb_array_elements(p_query -> 'waiting') w(v)
        LEFT JOIN blockqueue_topic t ON t.name = w.v ->> 0 AND t.deleted_at IS NULL
        LEFT JOIN blockqueue_subscriber s
          ON s.topic_id = t.id AND s.name = w.v ->> 1 AND s.deleted_at IS NULL));
  WHEN 'bytes' THEN
    SELECT to_jsonb(coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint) INTO o_answer
      FROM pg_class c
     WHERE c.relkind = 'r'
       AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'blockqueue_topic'::regclass);
  WHEN 'diagnose' THEN
    o_answer := bq_diagnose();
  END CASE;
END $$;

-- A message as people look at it.
CREATE OR REPLACE FUNCTION bq_view_message(p_message blockqueue_message) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'key', p_message.id, 'id_key', coalesce(p_message.origin, p_message.id),
    'accepted_at', coalesce(p_message.accepted_at, p_message.published_at),
    'deliver_at', p_message.published_at, 'content_type', p_message.content_type, 'headers', p_message.headers,
    'correlation_id', p_message.correlation_id, 'idempotency_key', p_message.idempotency_key,
    'ordering_key', p_message.ordering_key, 'expires_at', p_message.expires_at,
    'priority', (SELECT priority FROM blockqueue_log WHERE id = bq_log_of(p_message.id)))
$$;

-- Where a message stands with a subscriber; NULL if the subscriber began after it.
CREATE OR REPLACE FUNCTION bq_view_delivery(
  p_subscriber blockqueue_subscriber, p_message blockqueue_message, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_delivery blockqueue_delivery;
  v_state int;
  v_ready_at bigint;
BEGIN
  SELECT * INTO v_delivery
    FROM blockqueue_delivery WHERE subscriber_id = p_subscriber.id AND message_id = p_message.id;
  IF v_delivery.state IS NOT NULL THEN
    v_state := v_delivery.state;
    v_ready_at := CASE v_state
      WHEN 1 THEN (SELECT expires_at FROM blockqueue_lease
                    WHERE subscriber_id = p_subscriber.id AND id = v_delivery.lease_id)
      ELSE v_delivery.ready_at END;
  ELSIF bq_cursor(p_subscriber.id, bq_log_of(p_message.id)) < bq_seq_of(p_message.id) THEN
    v_state := CASE WHEN bq_will_pass(p_subscriber, p_message, p_now) THEN 5 ELSE 0 END;
    v_ready_at := CASE WHEN v_state = 0 THEN p_message.published_at END;
  ELSIF p_subscriber.created_at > p_message.published_at THEN
    RETURN NULL;
  ELSE
    v_state := 5;
  END IF;
  RETURN jsonb_build_object(
    'subscriber_id', p_subscriber.id, 'subscriber', p_subscriber.name, 'state', v_state,
    'attempts', coalesce(v_delivery.attempts, 0), 'failures', coalesce(v_delivery.failures, 0),
    'ready_at', v_ready_at);
END $$;

-- Whether a pending message will be passed over rather than delivered.
CREATE OR REPLACE FUNCTION bq_will_pass(
  p_subscriber blockqueue_subscriber, p_message blockqueue_message, p_now bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT bq_matches(p_subscriber.filter, p_message.headers)
      OR (p_subscriber.on_expiry = 0 AND coalesce(p_message.expires_at <= p_now, false))
$$;

CREATE OR REPLACE FUNCTION bq_look_message(
  p_topic blockqueue_topic, p_key bigint, p_at bigint, p_now bigint, OUT o_answer jsonb, OUT o_bodies bytea[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_key bigint;
  v_delayed boolean;
  v_row blockqueue_delayed;
  v_message blockqueue_message;
BEGIN
  SELECT * INTO v_key, v_delayed FROM bq_find_message(p_topic.id, p_key, p_at);
  IF v_key IS NULL THEN
    PERFORM bq_refuse('unknown_message');
  END IF;
  IF v_delayed THEN
    SELECT * INTO v_row FROM blockqueue_delayed WHERE id = v_key;
    o_bodies := ARRAY[v_row.payload];
    o_answer := jsonb_build_object(
      'key', v_row.id, 'id_key', v_row.id, 'accepted_at', v_row.accepted_at, 'deliver_at', v_row.due_at,
      'content_type', v_row.content_type, 'headers', v_row.headers, 'correlation_id', v_row.correlation_id,
      'idempotency_key', v_row.idempotency_key, 'ordering_key', v_row.ordering_key,
      'expires_at', v_row.expires_at, 'priority', v_row.priority);
  ELSE
    SELECT * INTO v_message FROM blockqueue_message WHERE id = v_key;
    o_bodies := ARRAY[v_message.payload];
    o_answer := bq_view_message(v_message);
  END IF;
  o_answer := jsonb_build_object('message', o_answer, 'delayed', v_delayed, 'deliveries', (
    SELECT coalesce(jsonb_agg(d.v ORDER BY s.name) FILTER (WHERE d.v IS NOT NULL), '[]')
      FROM blockqueue_subscriber s
     CROSS JOIN LATERAL (SELECT CASE WHEN v_delayed THEN jsonb_build_object(
         'subscriber_id', s.id, 'subscriber', s.name, 'state', 0, 'attempts', 0, 'failures', 0,
         'ready_at', v_row.due_at) ELSE bq_view_delivery(s, v_message, p_now) END AS v) d
     WHERE s.topic_id = p_topic.id AND s.deleted_at IS NULL));
END $$;

-- A page goes through deliveries in flight first (part 0), then through the logs. "next": where the next page
-- begins, if this is not the last.
CREATE OR REPLACE FUNCTION bq_peek(
  p_topic blockqueue_topic, p_subscriber blockqueue_subscriber, p_limit bigint, p_part bigint, p_after bigint,
  p_now bigint, OUT o_answer jsonb, OUT o_bodies bytea[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_part record;
  v_messages refcursor;
  v_message blockqueue_message;
  v_status jsonb;
  v_items jsonb[] := '{}';
  v_bytes bigint := 0;
  v_after bigint := coalesce(p_after, 0);
  v_last bigint;
  v_passed int;
  v_next jsonb;
BEGIN
  o_bodies := '{}';
  <<parts>>
  FOR v_part IN
    SELECT 0 AS part, NULL::bigint AS log, 0::bigint AS first, 9223372036854775807 AS last
     UNION ALL
    SELECT row_number() OVER (ORDER BY l.priority DESC, l.id), l.id,
           bq_key(l.id, bq_cursor(p_subscriber.id, l.id)), bq_key(l.id, l.last_seq)
      FROM blockqueue_log l WHERE l.topic_id = p_topic.id AND l.kind = 0
     ORDER BY part
  LOOP
    CONTINUE WHEN v_part.part < coalesce(p_part, 0);
    v_last := v_after;
    v_passed := 0;
    IF v_part.part = 0 THEN
      OPEN v_messages FOR
        SELECT m.*
          FROM blockqueue_delivery d
         CROSS JOIN LATERAL (SELECT * FROM blockqueue_message WHERE id = d.message_id LIMIT 1) m
         WHERE d.subscriber_id = p_subscriber.id AND d.message_id > v_after AND d.state IN (1, 2, 3)
         ORDER BY d.message_id;
    ELSE
      OPEN v_messages FOR
        SELECT * FROM blockqueue_message
         WHERE id > greatest(v_part.first, v_after) AND id <= v_part.last
         ORDER BY id;
    END IF;
    LOOP
      FETCH v_messages INTO v_message;
      EXIT WHEN NOT FOUND;
      IF cardinality(v_items) = p_limit OR v_bytes >= 16777216 OR v_passed = 10000 THEN
        v_next := jsonb_build_array(v_part.part, v_last);
        EXIT parts;
      END IF;
      v_last := v_message.id;
      v_status := bq_view_delivery(p_subscriber, v_message, p_now);
      IF v_status IS NULL OR (v_part.part > 0 AND (v_status ->> 'state')::int <> 0) THEN
        v_passed := v_passed + 1;
        CONTINUE;
      END IF;
      v_items := v_items || jsonb_build_object('message', bq_view_message(v_message), 'status', v_status);
      o_bodies := o_bodies || v_message.payload;
      v_bytes := v_bytes + octet_length(v_message.payload);
    END LOOP;
    CLOSE v_messages;
    v_after := 0;
  END LOOP;
  o_answer := jsonb_build_object('items', to_jsonb(v_items), 'next', v_next);
END $$;

-- What came of a message for one subscriber.
CREATE OR REPLACE FUNCTION bq_look_result(
  p_topic blockqueue_topic, p_subscriber blockqueue_subscriber, p_key bigint, p_at bigint, p_now bigint,
  OUT o_answer jsonb, OUT o_bodies bytea[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_result blockqueue_result;
  v_key bigint;
  v_delayed boolean;
BEGIN
  o_bodies := '{}';
  IF NOT EXISTS (SELECT 1 FROM blockqueue_log
                  WHERE id = bq_log_of(p_key) AND topic_id = p_topic.id AND last_seq >= bq_seq_of(p_key)) THEN
    PERFORM bq_refuse('unknown_message');
  END IF;
  SELECT * INTO v_result
    FROM blockqueue_result
   WHERE message_id = p_key AND subscriber_id = p_subscriber.id AND accepted_at = p_at AND expires_at > p_now;
  IF FOUND THEN
    o_bodies := ARRAY[v_result.payload];
    o_answer := jsonb_build_object('state', 'replied', 'content_type', v_result.content_type,
                                   'replied_at', v_result.replied_at, 'expires_at', v_result.expires_at);
    RETURN;
  END IF;
  SELECT * INTO v_key, v_delayed FROM bq_find_message(p_topic.id, p_key, p_at);
  o_answer := CASE
    -- Settled by everybody, and trimmed.
    WHEN v_key IS NULL THEN '{"state": "settled"}'
    WHEN v_delayed THEN jsonb_build_object('state', 'delayed', 'due_at', (
      SELECT due_at FROM blockqueue_delayed WHERE id = v_key))
    ELSE jsonb_build_object('state', bq_standing(p_subscriber, v_key, p_now), 'key', v_key)
  END;
END $$;

-- --- numbers --------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION bq_topic_stats(p_topic blockqueue_topic, p_now bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'topic', p_topic.name, 'paused', p_topic.paused, 'delayed_count', p_topic.delayed_count,
    'published_count', p_topic.delayed_count + p_topic.delayed_cancelled_count + coalesce(sum(l.last_seq), 0),
    'retained_count', coalesce(sum(l.last_seq - l.trim_seq), 0),
    'retained_bytes', coalesce(sum(bq_bytes_above(l, l.trim_seq)), 0),
    'logs', coalesce(jsonb_agg(jsonb_build_array(l.priority, l.last_seq, l.trim_seq) ORDER BY l.priority DESC, l.id)
                     FILTER (WHERE l.id IS NOT NULL), '[]'),
    'subscribers', (SELECT coalesce(jsonb_agg(bq_subscriber_stats(p_topic, s, p_now) ORDER BY s.name), '[]')
                      FROM blockqueue_subscriber s WHERE s.topic_id = p_topic.id AND s.deleted_at IS NULL))
    FROM (SELECT 1) one
    LEFT JOIN blockqueue_log l ON l.topic_id = p_topic.id AND l.kind = 0
$$;

CREATE OR REPLACE FUNCTION bq_subscriber_stats(
  p_topic blockqueue_topic, p_subscriber blockqueue_subscriber, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_count bigint;
  v_bytes bigint;
  v_oldest_at bigint;
  v_exact boolean;
  v_cursors jsonb;
  v_due bigint := 0;
BEGIN
  SELECT coalesce(sum(l.last_seq - bq_seq_of(h.id) + 1), 0), coalesce(sum(l.position - h.position), 0),
         min(h.published_at),
         -- Some of it may be skipped.
         coalesce(bool_and(l.gap_count = 0 AND NOT l.expiring AND p_subscriber.filter IS NULL)
                  FILTER (WHERE h.id IS NOT NULL), true),
         coalesce(jsonb_agg(jsonb_build_array(l.priority, c.seq, l.last_seq) ORDER BY l.priority DESC, l.id), '[]')
    INTO v_count, v_bytes, v_oldest_at, v_exact, v_cursors
    FROM blockqueue_log l
   CROSS JOIN LATERAL (SELECT bq_cursor(p_subscriber.id, l.id) AS seq) c
    LEFT JOIN LATERAL (
      SELECT m.id, m.position, m.published_at FROM blockqueue_message m
       WHERE m.id > bq_key(l.id, c.seq) AND m.id <= bq_key(l.id, l.last_seq)
       ORDER BY m.id LIMIT 1) h ON true
   WHERE l.topic_id = p_topic.id AND l.kind = 0;
  IF p_subscriber.retrying_count > 0 THEN
    SELECT count(*) INTO v_due
      FROM (SELECT 1 FROM blockqueue_delivery
             WHERE subscriber_id = p_subscriber.id AND state = 2 AND ready_at <= p_now LIMIT 10000) due;
    -- Beyond that all count as due.
    v_due := CASE WHEN v_due = 10000 THEN p_subscriber.retrying_count ELSE v_due END;
  END IF;
  RETURN to_jsonb(p_subscriber) || jsonb_build_object(
    'topic', p_topic.name, 'pending_count', v_count, 'pending_bytes', v_bytes, 'ready_count', v_count + v_due,
    'exact', v_exact AND p_subscriber.ahead_count = 0,
    'oldest_age_ms', CASE WHEN v_oldest_at IS NOT NULL THEN greatest(p_now - v_oldest_at, 0) END,
    'cursors', v_cursors);
END $$;

-- --- examination ----------------------------------------------------------------------------------------

-- Whether the counters agree with the rows. The only query that reads whole tables.
CREATE OR REPLACE FUNCTION bq_diagnose() RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_problems text[];
  v_advice text[];
BEGIN
  SELECT array_agg(p) INTO v_problems FROM (
    SELECT format('subscriber "%s" of topic "%s" counts %s %s deliveries, has %s', s.name, t.name, c.known, c.state,
                  c.counted) AS p
      FROM blockqueue_subscriber s
      JOIN blockqueue_topic t ON t.id = s.topic_id AND t.deleted_at IS NULL
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE state = 1) AS leased, count(*) FILTER (WHERE state = 2) AS retrying,
              count(*) FILTER (WHERE state = 3) AS parked, count(*) FILTER (WHERE state = 4) AS dead,
              count(*) FILTER (WHERE state = 2 AND lease_id IS NOT NULL) AS lapsed
         FROM blockqueue_delivery d WHERE d.subscriber_id = s.id) n
     CROSS JOIN LATERAL (VALUES
       ('leased', s.leased_count, n.leased), ('retrying', s.retrying_count, n.retrying),
       ('parked', s.parked_count, n.parked), ('dead', s.dead_count, n.dead),
       ('lapsed', s.lapsed_count, n.lapsed)) c(state, known, counted)
     WHERE s.deleted_at IS NULL AND c.known <> c.counted
    UNION ALL
    SELECT format('subscriber "%s" of topic "%s" has %s parked deliveries behind nothing', s.name, t.name, count(*))
      FROM blockqueue_subscriber s
      JOIN blockqueue_topic t ON t.id = s.topic_id AND t.deleted_at IS NULL
      JOIN blockqueue_delivery p ON p.subscriber_id = s.id AND p.state = 3
     WHERE s.deleted_at IS NULL AND s.sifted_key IS NULL
       AND NOT EXISTS (SELECT 1 FROM blockqueue_delivery d
                        WHERE d.subscriber_id = s.id AND d.ordering_key = p.ordering_key
                          AND (d.state IN (1, 2)
                               OR (bq_blocks(s) AND d.state = 4 AND d.message_id < p.message_id)))
     GROUP BY s.name, t.name
    UNION ALL
    SELECT format('subscriber "%s" is beyond the end of log %s', s.name, l.id)
      FROM blockqueue_subscriber s
      JOIN blockqueue_cursor c ON c.subscriber_id = s.id
      JOIN blockqueue_log l ON l.id = c.log_id
     WHERE s.deleted_at IS NULL AND c.seq > l.last_seq
    UNION ALL
    SELECT format('lease %s of subscriber %s counts %s deliveries, has %s', l.id, l.subscriber_id, l.live_count,
                  count(d.message_id))
      FROM blockqueue_lease l
      JOIN blockqueue_subscriber s ON s.id = l.subscriber_id AND s.deleted_at IS NULL
      LEFT JOIN blockqueue_delivery d ON d.subscriber_id = l.subscriber_id AND d.lease_id = l.id
     GROUP BY l.subscriber_id, l.id, l.live_count
    HAVING l.live_count <> count(d.message_id)
    UNION ALL
    SELECT format('%s deliveries have no message', count(*))
      FROM blockqueue_subscriber s
      JOIN blockqueue_delivery d ON d.subscriber_id = s.id
     WHERE s.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM blockqueue_message m WHERE m.id = d.message_id)
    HAVING count(*) > 0
    LIMIT 100) problems;
  SELECT array_agg(a) INTO v_advice FROM (
    SELECT format('topic "%s" has no subscriber: what is published to it is kept for its retention only', t.name) AS a
      FROM blockqueue_topic t
     WHERE t.deleted_at IS NULL AND NOT EXISTS (
       SELECT 1 FROM blockqueue_subscriber s WHERE s.topic_id = t.id AND s.deleted_at IS NULL)
    UNION ALL
    SELECT format('subscriber "%s" of topic "%s" has %s dead letters: redrive or purge', s.name, t.name, s.dead_count)
      FROM blockqueue_subscriber s JOIN blockqueue_topic t ON t.id = s.topic_id AND t.deleted_at IS NULL
     WHERE s.deleted_at IS NULL AND s.dead_count >= 10000
    UNION ALL
    SELECT format('%s messages that applications published by SQL were rejected: look at the table '
                  'blockqueue_rejected, then delete its rows', count(*))
      FROM blockqueue_rejected HAVING count(*) > 0) advice;
  RETURN jsonb_build_object(
    'problems', coalesce(to_jsonb(v_problems), '[]'), 'advice', coalesce(to_jsonb(v_advice), '[]'),
    'version', current_setting('server_version'));
END $$;
