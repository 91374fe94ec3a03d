-- Topics and subscribers: create, change, pause, delete.
--
-- Deleting only marks the row, which makes it invisible and frees the name at once; upkeep reclaims what it
-- leaves behind. Settings come as an object of columns.

CREATE OR REPLACE FUNCTION bq_create_topic(p_name text, p_options jsonb, p_subscribers jsonb, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic;
BEGIN
  -- One that is there takes no number.
  IF EXISTS (SELECT 1 FROM blockqueue_topic WHERE name = p_name AND deleted_at IS NULL) THEN
    PERFORM bq_refuse('topic_exists', jsonb_build_object('topic', p_name));
  END IF;
  INSERT INTO blockqueue_topic (name, created_at, idempotency_ms) VALUES (p_name, p_now, 0)
  ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING
  RETURNING * INTO v_topic;
  IF NOT FOUND THEN
    PERFORM bq_refuse('topic_exists', jsonb_build_object('topic', p_name));
  END IF;
  PERFORM bq_take_turn(v_topic.id);
  v_topic := bq_set_topic(v_topic, p_options);
  PERFORM bq_create_subscriber(v_topic, s, p_now) FROM jsonb_array_elements(p_subscribers) s;
  RETURN bq_view_topic(v_topic);
END $$;

-- Writes settings; those that are not named stay.
CREATE OR REPLACE FUNCTION bq_set_topic(p_topic blockqueue_topic, p_options jsonb) RETURNS blockqueue_topic
LANGUAGE plpgsql AS $$
DECLARE
  v_new blockqueue_topic := jsonb_populate_record(p_topic, p_options);
BEGIN
  UPDATE blockqueue_topic
     SET retention_ms = v_new.retention_ms, retention_count = v_new.retention_count,
         retention_bytes = v_new.retention_bytes, backlog_count = v_new.backlog_count,
         backlog_bytes = v_new.backlog_bytes, backlog_ms = v_new.backlog_ms,
         backlog_policy = v_new.backlog_policy, idempotency_ms = v_new.idempotency_ms, ttl_ms = v_new.ttl_ms
   WHERE id = p_topic.id
  RETURNING * INTO v_new;
  RETURN v_new;
END $$;

CREATE OR REPLACE FUNCTION bq_view_topic(p_topic blockqueue_topic) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT to_jsonb(p_topic)
$$;

CREATE OR REPLACE FUNCTION bq_view_subscriber(p_topic blockqueue_topic, p_subscriber blockqueue_subscriber)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT to_jsonb(p_subscriber) || jsonb_build_object('topic', p_topic.name)
$$;

CREATE OR REPLACE FUNCTION bq_delete_topic(p_name text, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_name);
BEGIN
  UPDATE blockqueue_topic SET deleted_at = p_now WHERE id = v_topic.id;
  UPDATE blockqueue_subscriber SET deleted_at = p_now WHERE topic_id = v_topic.id AND deleted_at IS NULL;
  UPDATE blockqueue_schedule SET next_at = NULL, due_at = NULL, queued_at = NULL WHERE topic_id = v_topic.id;
END $$;

CREATE OR REPLACE FUNCTION bq_create_subscribers(p_name text, p_subscribers jsonb, p_now bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_name);
  v_exists text;
BEGIN
  SELECT n.v ->> 'name' INTO v_exists
    FROM jsonb_array_elements(p_subscribers) WITH ORDINALITY n(v, place)
    JOIN blockqueue_subscriber s
      ON s.topic_id = v_topic.id AND s.name = n.v ->> 'name' AND s.deleted_at IS NULL
   ORDER BY n.place LIMIT 1;
  IF FOUND THEN
    PERFORM bq_refuse('subscriber_exists', jsonb_build_object('topic', p_name, 'subscriber', v_exists));
  END IF;
  RETURN (SELECT coalesce(jsonb_agg(bq_create_subscriber(v_topic, s.v, p_now) ORDER BY s.place), '[]')
            FROM jsonb_array_elements(p_subscribers) WITH ORDINALITY s(v, place));
END $$;

-- p_new: "name", "options", and "start": "now", "earliest", or a time.
CREATE OR REPLACE FUNCTION bq_create_subscriber(p_topic blockqueue_topic, p_new jsonb, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_subscriber blockqueue_subscriber;
  v_log blockqueue_log;
  v_start jsonb := p_new -> 'start';
  v_places bigint[] := '{}';
  v_logs bigint[] := '{}';
  v_floor bigint;
BEGIN
  -- Before it is there: it holds nothing back yet.
  FOR v_log IN SELECT * FROM blockqueue_log WHERE topic_id = p_topic.id AND kind = 0 LOOP
    v_floor := bq_floor(p_topic, v_log, p_now);
    v_logs := v_logs || v_log.id;
    v_places := v_places || CASE
      WHEN v_start = '"now"' THEN v_log.last_seq
      WHEN v_start = '"earliest"' THEN v_floor
      ELSE greatest(bq_before_time(v_log, v_start::bigint), v_floor) END;
  END LOOP;
  INSERT INTO blockqueue_subscriber (topic_id, name, created_at, max_attempts, lease_ms, claim_limit,
                                     retry_initial_ms, retry_max_ms, retry_multiplier, retry_jitter)
  VALUES (p_topic.id, p_new ->> 'name', p_now, 0, 0, 0, 0, 0, 0, 0)
  RETURNING * INTO v_subscriber;
  v_subscriber := bq_set_subscriber(v_subscriber, p_new -> 'options');
  INSERT INTO blockqueue_cursor (subscriber_id, log_id, seq)
  SELECT v_subscriber.id, l, s FROM unnest(v_logs, v_places) AS place(l, s);
  RETURN bq_view_subscriber(p_topic, v_subscriber);
END $$;

CREATE OR REPLACE FUNCTION bq_set_subscriber(p_subscriber blockqueue_subscriber, p_options jsonb)
RETURNS blockqueue_subscriber LANGUAGE plpgsql AS $$
DECLARE
  v_new blockqueue_subscriber := jsonb_populate_record(p_subscriber, p_options);
BEGIN
  -- Each setting is right by itself; together with what stays it need not be.
  IF v_new.ordered AND v_new.leased_per_key_max > 1 THEN
    PERFORM bq_refuse('invalid_argument', jsonb_build_object(
      'detail', 'leased_per_key_max must be 1 if the subscriber is ordered'));
  END IF;
  UPDATE blockqueue_subscriber
     SET max_attempts = v_new.max_attempts, lease_ms = v_new.lease_ms, claim_limit = v_new.claim_limit,
         retry_initial_ms = v_new.retry_initial_ms, retry_max_ms = v_new.retry_max_ms,
         retry_multiplier = v_new.retry_multiplier, retry_jitter = v_new.retry_jitter,
         ordered = v_new.ordered, on_dead = v_new.on_dead, filter = v_new.filter,
         on_expiry = v_new.on_expiry, leased_max = v_new.leased_max, rate_count = v_new.rate_count,
         rate_ms = v_new.rate_ms, leased_per_key_max = v_new.leased_per_key_max
   WHERE id = p_subscriber.id
  RETURNING * INTO v_new;
  RETURN v_new;
END $$;

CREATE OR REPLACE FUNCTION bq_update_subscriber(p_topic text, p_name text, p_options jsonb, p_now bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_old blockqueue_subscriber := bq_find_subscriber(v_topic, p_name);
  v_new blockqueue_subscriber := bq_set_subscriber(v_old, p_options);
BEGIN
  IF (bq_goes_by_keys(v_old) OR v_old.sifted_key IS NOT NULL)
     AND (bq_goes_by_keys(v_old), v_old.ordered, bq_blocks(v_old), bq_leases_per_key(v_old))
         IS DISTINCT FROM
         (bq_goes_by_keys(v_new), v_new.ordered, bq_blocks(v_new), bq_leases_per_key(v_new)) THEN
    -- What is parked is looked at again, by the claims to come.
    UPDATE blockqueue_subscriber SET sifted_key = '' WHERE id = v_new.id;
  END IF;
  RETURN bq_view_subscriber(v_topic, v_new);
END $$;
