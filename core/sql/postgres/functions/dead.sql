-- Dead letters: claimable again, published to another topic, or gone.
--
-- Bounded per group: an operation on many goes on in further ones, from where the last one ended, and never
-- looks at a letter twice. Invariant: a letter that was redriven to another topic is gone if and only if its new
-- message is there.

-- p_op: "which" (a list of keys and times of ids, a number, or "all"), "dry_run", "so_far" if it goes on; of a
-- redrive "to" and "rate" if it has them; "filter". p_purge: they are gone. The answer is a count, or how far it came.
CREATE OR REPLACE FUNCTION bq_dead_letters(
  p_topic text, p_name text, p_op jsonb, p_purge boolean, p_tag int, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_subscriber blockqueue_subscriber := bq_find_subscriber(v_topic, p_name);
  v_which jsonb := p_op -> 'which';
  v_rate double precision := (p_op ->> 'rate')::double precision;
  v_at_most numeric := 'infinity';
  v_dry boolean := (p_op ->> 'dry_run')::boolean;
  v_done bigint := coalesce((p_op -> 'so_far' ->> 'done')::bigint, 0);
  v_begun bigint := v_done;
  v_left bigint := coalesce((p_op -> 'so_far' ->> 'left')::bigint, v_subscriber.dead_count);
  v_since bigint := coalesce((p_op -> 'so_far' ->> 'since')::bigint, p_now);
  v_place bigint[] := ARRAY[coalesce((p_op -> 'so_far' -> 'place' ->> 0)::bigint,
                                     CASE WHEN jsonb_typeof(v_which) = 'array' THEN 0
                                          ELSE -9223372036854775808 END),
                            coalesce((p_op -> 'so_far' -> 'place' ->> 1)::bigint, 0)];
  v_letter record;
  v_keys bigint[] := '{}';
  v_bytes bigint := 0;
  v_seen int := 0;
  v_more boolean := false;
  v_cut boolean := false;
BEGIN
  IF p_op ? 'to' THEN
    PERFORM bq_topic(p_op ->> 'to');
  END IF;
  IF v_rate IS NOT NULL THEN
    -- How many fall due within the longest delay.
    v_at_most := trunc((31622400 * v_rate)::numeric) + 1;
  END IF;
  IF jsonb_typeof(v_which) = 'number' THEN
    v_at_most := least(v_at_most, v_which::numeric);
  END IF;
  FOR v_letter IN SELECT * FROM bq_letters(v_topic.id, v_subscriber.id, v_which, v_place, v_left) LOOP
    v_seen := v_seen + 1;
    IF v_done >= v_at_most THEN
      v_cut := true;
      EXIT;
    END IF;
    IF v_bytes >= 16777216 THEN
      v_cut := true;
      v_more := true;
      EXIT;
    END IF;
    v_place := v_letter.place;
    v_left := greatest(v_left - 1, 0);
    CONTINUE WHEN p_op ? 'filter' AND NOT bq_matches(
      p_op -> 'filter', (SELECT headers FROM blockqueue_message WHERE id = v_letter.key));
    v_done := v_done + 1;
    v_keys := v_keys || v_letter.key;
    IF p_op ? 'to' AND NOT v_dry THEN
      v_bytes := v_bytes + (SELECT octet_length(payload) FROM blockqueue_message WHERE id = v_letter.key);
    END IF;
  END LOOP;
  IF NOT v_cut THEN
    v_more := v_seen = 1000 AND v_left > 0 AND v_done < v_at_most;
  END IF;
  IF NOT v_dry AND cardinality(v_keys) > 0 THEN
    IF p_op ? 'to' THEN
      PERFORM bq_move_letters(v_topic, v_subscriber, p_op ->> 'to', v_keys, v_begun, v_since, v_rate, p_tag, p_now);
    END IF;
    IF p_purge OR p_op ? 'to' THEN
      PERFORM bq_bury_for_good(v_subscriber.id, v_keys, p_now);
    ELSE
      PERFORM bq_revive_all(v_subscriber, v_keys, v_begun, v_since, v_rate, p_now);
    END IF;
  END IF;
  IF v_more THEN
    RETURN jsonb_build_object('done', v_done, 'left', v_left, 'place', v_place, 'since', v_since);
  END IF;
  RETURN to_jsonb(v_done);
END $$;

-- The next dead letters among those asked for, oldest first; those that were named in the order of their names.
CREATE OR REPLACE FUNCTION bq_letters(
  p_topic bigint, p_id bigint, p_which jsonb, p_place bigint[], p_left bigint)
RETURNS TABLE (place bigint[], key bigint, failures int) LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF jsonb_typeof(p_which) = 'array' THEN
    RETURN QUERY
      SELECT ARRAY[min(n.place), 0], d.message_id, min(d.failures)
        FROM jsonb_array_elements(p_which) WITH ORDINALITY n(v, place)
       CROSS JOIN LATERAL bq_find_message(p_topic, (n.v ->> 0)::bigint, (n.v ->> 1)::bigint) f
       CROSS JOIN LATERAL (
         SELECT * FROM blockqueue_delivery WHERE subscriber_id = p_id AND message_id = f.o_key LIMIT 1) d
       WHERE n.place > p_place[1] AND d.state = 4 AND NOT f.o_delayed
       GROUP BY d.message_id
       ORDER BY 1;
  ELSE
    RETURN QUERY
      SELECT ARRAY[d.ready_at, d.message_id], d.message_id, d.failures
        FROM blockqueue_delivery d
       WHERE d.subscriber_id = p_id AND d.state = 4 AND (d.ready_at, d.message_id) > (p_place[1], p_place[2])
       ORDER BY d.ready_at, d.message_id
       LIMIT least(p_left, 1000);
  END IF;
END $$;

-- When a letter falls due: at once, or spaced by a rate.
CREATE OR REPLACE FUNCTION bq_spaced(p_place bigint, p_since bigint, p_rate double precision, p_now bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_rate IS NULL THEN p_now ELSE p_since + trunc(p_place * 1000 / p_rate)::bigint END
$$;

-- They wait for their next attempt, with all attempts before them.
CREATE OR REPLACE FUNCTION bq_revive_all(
  p_subscriber blockqueue_subscriber, p_keys bigint[], p_begun bigint, p_since bigint, p_rate double precision,
  p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_key bigint;
  v_place bigint := p_begun;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    UPDATE blockqueue_subscriber SET dead_count = dead_count - 1 WHERE id = p_subscriber.id;
    IF NOT bq_revive(p_subscriber, v_key, p_now) THEN
      PERFORM bq_retry(p_subscriber.id, v_key, NULL, bq_spaced(v_place, p_since, p_rate, p_now), 0, d.failures)
         FROM blockqueue_delivery d WHERE d.subscriber_id = p_subscriber.id AND d.message_id = v_key;
      UPDATE blockqueue_subscriber SET retrying_count = retrying_count + 1 WHERE id = p_subscriber.id;
    END IF;
    v_place := v_place + 1;
  END LOOP;
  PERFORM bq_note_ready(p_subscriber.id);
END $$;

-- Publishes them to another topic, with new lives. Keys that belong to the topic they came from stay there.
CREATE OR REPLACE FUNCTION bq_move_letters(
  p_topic blockqueue_topic, p_subscriber blockqueue_subscriber, p_to text, p_keys bigint[], p_begun bigint,
  p_since bigint, p_rate double precision, p_tag int, p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_messages jsonb;
  v_bodies bytea[];
BEGIN
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
           'size', bq_size_of(c.payload, c.headers, c.content_type, c.correlation_id),
           'priority', nullif(c.priority, 0), 'content_type', c.content_type, 'headers', c.headers,
           'correlation_id', c.correlation_id, 'ordering_key', c.ordering_key,
           'deliver_at', CASE WHEN c.due > p_now THEN c.due END)) ORDER BY c.n),
         array_agg(c.payload ORDER BY c.n)
    INTO v_messages, v_bodies
    FROM (SELECT k.n, m.payload, m.content_type, m.correlation_id, m.ordering_key, l.priority,
                 bq_spaced(p_begun + k.n - 1, p_since, p_rate, p_now) AS due,
                 coalesce(m.headers, '{}') || jsonb_build_object(
                   'blockqueue-origin', p_topic.name || '/' || p_subscriber.name || '/' || bq_message_id(
                     coalesce(m.accepted_at, m.published_at), coalesce(m.origin, m.id), p_tag)) AS headers
            FROM unnest(p_keys) WITH ORDINALITY k(id, n)
           CROSS JOIN LATERAL (SELECT * FROM blockqueue_message WHERE id = k.id LIMIT 1) m
            JOIN blockqueue_log l ON l.id = bq_log_of(k.id)) c;
  PERFORM bq_publish(p_to, v_messages, v_bodies, p_now);
  PERFORM bq_note_appended((SELECT id FROM blockqueue_topic WHERE name = p_to AND deleted_at IS NULL),
                           cardinality(p_keys));
END $$;

-- Bytes of a message as Message::size_bytes counts them.
CREATE OR REPLACE FUNCTION bq_size_of(p_payload bytea, p_headers jsonb, p_type text, p_correlation text)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT octet_length(p_payload)::bigint + coalesce(octet_length(p_type), 0)
       + coalesce(octet_length(p_correlation), 0)
       + coalesce((SELECT sum(octet_length(key) + octet_length(value)) FROM jsonb_each_text(p_headers)), 0)::bigint
$$;

-- The text of a message's id, as model/id.rs makes it.
CREATE OR REPLACE FUNCTION bq_message_id(p_at bigint, p_key bigint, p_tag int) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(
    int8send((p_at << 16) | 32768 | (p_key >> 51))
    || int8send((-9223372036854775808)::bigint | ((p_key & 2251799813685247) << 11) | (p_tag & 2047)),
    'hex')::uuid::text
$$;

CREATE OR REPLACE FUNCTION bq_bury_for_good(p_id bigint, p_keys bigint[], p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_key bigint;
  v_ordering_key text;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    SELECT ordering_key INTO v_ordering_key
      FROM blockqueue_delivery WHERE subscriber_id = p_id AND message_id = v_key;
    PERFORM bq_delete(p_id, v_key);
    PERFORM bq_freed(p_id, v_ordering_key, p_now);
  END LOOP;
  UPDATE blockqueue_subscriber SET dead_count = dead_count - cardinality(p_keys) WHERE id = p_id;
END $$;
