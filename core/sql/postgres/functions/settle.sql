-- Settle: what the holder of a live receipt decides about its delivery.
--
-- Owns ack, nack, defer, cancel, extend and release. A receipt is live while its delivery names a lease that
-- the receipt's token belongs to. Invariant: a receipt that is not live changes nothing.

-- p_items: objects with "key" of the message, "subscriber", "token", "verb" and what the verb needs. The answer
-- has one result each; null: the lease is lost.
CREATE OR REPLACE FUNCTION bq_settle(p_items jsonb, p_bodies bytea[], p_now bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_item jsonb;
  v_results jsonb[] := '{}';
  v_extensions jsonb := '[]';
  v_acked bigint[];
  v_place bigint := 0;
BEGIN
  PERFORM bq_take_turn(topic_id)
     FROM (SELECT DISTINCT s.topic_id
             FROM jsonb_array_elements(p_items) i
             JOIN blockqueue_subscriber s ON s.id = (i ->> 'subscriber')::bigint
            ORDER BY s.topic_id) topics;
  v_acked := bq_ack_all(p_items);
  IF cardinality(v_acked) = jsonb_array_length(p_items) THEN
    RETURN (SELECT coalesce(jsonb_agg('{}'::jsonb), '[]') FROM unnest(v_acked));
  END IF;
  FOR v_item IN SELECT * FROM jsonb_array_elements(p_items) LOOP
    v_place := v_place + 1;
    IF v_place = ANY (v_acked) THEN
      v_results := v_results || '{}'::jsonb;
    ELSIF v_item ->> 'verb' = 'extend' THEN
      v_results := v_results || bq_extendable(v_item, p_now);
      IF v_results[v_place] <> 'null' THEN
        v_extensions := v_extensions || (v_item || v_results[v_place]);
      END IF;
    ELSE
      v_results := v_results || bq_settle_one(v_item, p_bodies, p_now);
    END IF;
  END LOOP;
  IF v_extensions <> '[]' THEN
    PERFORM bq_extend(v_extensions);
  END IF;
  RETURN to_jsonb(v_results);
END $$;

-- The usual case in few statements: acks of subscribers that do not go by keys. The answer is which of the items
-- those were, by their places; the others are left to be looked at one by one.
CREATE OR REPLACE FUNCTION bq_ack_all(p_items jsonb) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  v_ended record;
  v_places bigint[] := '{}';
BEGIN
  FOR v_ended IN
    WITH asked AS (
      SELECT DISTINCT ON (subscriber, key) n, subscriber, key, token
        FROM (SELECT n, (v ->> 'subscriber')::bigint AS subscriber, (v ->> 'key')::bigint AS key,
                     decode(v ->> 'token', 'hex') AS token
                FROM jsonb_array_elements(p_items) WITH ORDINALITY i(v, n)
               WHERE v ->> 'verb' = 'ack'
                 -- Whatever else is asked about a delivery is done in its place.
                 AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(p_items) o WHERE o ->> 'verb' <> 'ack')
             ) acks
       ORDER BY subscriber, key, n),
    live AS (
      SELECT a.n, d.subscriber_id, d.message_id, d.lease_id, d.state
        FROM asked a
       CROSS JOIN LATERAL (
         SELECT * FROM blockqueue_delivery
          WHERE subscriber_id = a.subscriber AND message_id = a.key LIMIT 1
            FOR UPDATE SKIP LOCKED) d
       CROSS JOIN LATERAL (
         SELECT token FROM blockqueue_lease WHERE subscriber_id = d.subscriber_id AND id = d.lease_id LIMIT 1) l
        JOIN blockqueue_subscriber s ON s.id = d.subscriber_id
        JOIN blockqueue_topic t ON t.id = s.topic_id
       WHERE l.token = a.token AND s.deleted_at IS NULL AND t.deleted_at IS NULL AND NOT s.ordered
         AND s.leased_per_key_max IS NULL),
    gone AS (
      DELETE FROM blockqueue_delivery d USING live
       WHERE d.subscriber_id = live.subscriber_id AND d.message_id = live.message_id)
    SELECT subscriber_id, lease_id, count(*) AS count, count(*) FILTER (WHERE state = 2) AS expired,
           array_agg(n) AS places, array_agg(message_id) AS keys
      FROM live GROUP BY subscriber_id, lease_id
  LOOP
    PERFORM bq_leave_lease(v_ended.subscriber_id, v_ended.lease_id, v_ended.count);
    UPDATE blockqueue_subscriber
       SET leased_count = leased_count - v_ended.count + v_ended.expired,
           retrying_count = retrying_count - v_ended.expired, lapsed_count = lapsed_count - v_ended.expired,
           acked_count = acked_count + v_ended.count
     WHERE id = v_ended.subscriber_id;
    PERFORM bq_note_slot(v_ended.subscriber_id);
    PERFORM bq_let_go(v_ended.keys);
    v_places := v_places || v_ended.places;
  END LOOP;
  RETURN v_places;
END $$;

CREATE OR REPLACE FUNCTION bq_settle_one(p_item jsonb, p_bodies bytea[], p_now bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint := (p_item ->> 'subscriber')::bigint;
  v_key bigint := (p_item ->> 'key')::bigint;
  v_live blockqueue_delivery := bq_live(p_item);
  v_subscriber blockqueue_subscriber;
  v_failures int;
  v_ready_at bigint;
BEGIN
  IF v_live.subscriber_id IS NULL THEN
    RETURN 'null';
  ELSIF NOT bq_take_delivery(v_id, v_key) THEN
    RETURN '{"is_locked": true}';
  END IF;
  CASE p_item ->> 'verb'
  WHEN 'ack', 'reply' THEN
    PERFORM bq_end(v_live, p_now);
    UPDATE blockqueue_subscriber SET acked_count = acked_count + 1 WHERE id = v_id;
    IF p_item ->> 'verb' = 'reply' THEN
      -- Somebody may wait for it, at another engine.
      PERFORM set_config('bq.loud', 'yes', true);
      INSERT INTO blockqueue_result (message_id, accepted_at, subscriber_id, replied_at, expires_at, content_type,
                                     payload)
      VALUES ((p_item ->> 'accepted_key')::bigint, (p_item ->> 'accepted_at')::bigint, v_id, p_now,
              p_now + (p_item ->> 'ttl_ms')::bigint, p_item ->> 'content_type',
              p_bodies[(p_item ->> 'body')::int])
      ON CONFLICT (message_id, subscriber_id) DO UPDATE
         SET accepted_at = excluded.accepted_at, replied_at = excluded.replied_at,
             expires_at = excluded.expires_at, content_type = excluded.content_type,
             payload = excluded.payload;
    END IF;
    RETURN '{}';
  WHEN 'cancel' THEN
    IF p_item ? 'reason' THEN
      PERFORM bq_record_failure(v_id, v_key, v_live.failures + 1, p_item ->> 'reason', p_now);
    END IF;
    PERFORM bq_end(v_live, p_now);
    UPDATE blockqueue_subscriber SET cancelled_count = cancelled_count + 1 WHERE id = v_id;
    RETURN '{}';
  WHEN 'defer' THEN
    v_ready_at := p_now + (p_item ->> 'delay_ms')::bigint;
    PERFORM bq_put_back(v_live, v_ready_at, p_now);
    RETURN jsonb_build_object('ready_at', v_ready_at);
  WHEN 'nack' THEN
    -- The expiry of its lease has been counted as a failure already: this only says what went wrong.
    v_failures := CASE WHEN v_live.state = 2 THEN greatest(v_live.failures, 1) ELSE v_live.failures + 1 END;
    IF v_live.state = 2 THEN
      PERFORM bq_set_failure(v_id, v_key, v_failures, p_item ->> 'error', p_now);
    ELSE
      PERFORM bq_record_failure(v_id, v_key, v_failures, p_item ->> 'error', p_now);
    END IF;
    PERFORM bq_leave(v_live);
    SELECT * INTO v_subscriber FROM blockqueue_subscriber WHERE id = v_id;
    IF (p_item ->> 'give_up')::boolean OR v_live.attempts >= v_subscriber.max_attempts THEN
      PERFORM bq_bury(v_id, v_key, v_failures, p_now);
      UPDATE blockqueue_subscriber
         SET nacked_count = nacked_count + 1, dead_count = dead_count + 1
       WHERE id = v_id;
    ELSE
      v_ready_at := p_now
                  + coalesce((p_item ->> 'delay_ms')::bigint, bq_pause(v_subscriber, v_failures, random()));
      PERFORM bq_retry(v_id, v_key, NULL, v_ready_at, v_live.attempts, v_failures);
      UPDATE blockqueue_subscriber
         SET nacked_count = nacked_count + 1, retrying_count = retrying_count + 1
       WHERE id = v_id;
      PERFORM bq_note_ready(v_id);
    END IF;
    PERFORM bq_freed(v_id, v_live.ordering_key, p_now);
    RETURN jsonb_build_object('ready_at', v_ready_at);
  END CASE;
END $$;

-- Gives back what a caller never got to see: as if it had not been claimed.
CREATE OR REPLACE FUNCTION bq_release(p_items jsonb, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_item jsonb;
  v_live blockqueue_delivery;
BEGIN
  PERFORM bq_take_turn(topic_id)
     FROM (SELECT DISTINCT s.topic_id
             FROM jsonb_array_elements(p_items) i
             JOIN blockqueue_subscriber s ON s.id = (i ->> 'subscriber')::bigint
            ORDER BY s.topic_id) topics;
  FOR v_item IN SELECT * FROM jsonb_array_elements(p_items) LOOP
    v_live := bq_live(v_item);
    IF v_live.subscriber_id IS NOT NULL AND bq_take_delivery(v_live.subscriber_id, v_live.message_id) THEN
      PERFORM bq_put_back(v_live, coalesce(
        (SELECT published_at FROM blockqueue_message WHERE id = v_live.message_id), p_now), p_now);
      PERFORM bq_spend(v_live.subscriber_id, -1, p_now);
    END IF;
  END LOOP;
END $$;

-- --- what the verbs share -------------------------------------------------------------------------------

-- The pause after so many failures, from 1, as in backoff.rs. p_chance is from 0 up to, not including, 1.
CREATE OR REPLACE FUNCTION bq_pause(p_subscriber blockqueue_subscriber, p_failures int, p_chance double precision)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  -- By logarithms: the power itself may be too large for the type.
  SELECT trunc(greatest(0, least(p_subscriber.retry_max_ms,
           CASE
             WHEN p_subscriber.retry_initial_ms = 0 THEN 0
             WHEN (p_failures - 1) * ln(p_subscriber.retry_multiplier)
                  > ln(greatest(p_subscriber.retry_max_ms, 1)) - ln(p_subscriber.retry_initial_ms)
               THEN p_subscriber.retry_max_ms
             ELSE least(p_subscriber.retry_initial_ms
                        * power(p_subscriber.retry_multiplier, p_failures - 1), p_subscriber.retry_max_ms)
           END * (1 + p_subscriber.retry_jitter * (2 * p_chance - 1)))))::bigint
$$;

-- Takes a delivery for this transaction, and says whether it could: an application that is settling it in one of its
-- own has it until that ends, and nobody waits for it. What is not there can be had.
CREATE OR REPLACE FUNCTION bq_take_delivery(p_id bigint, p_message bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM blockqueue_delivery
    WHERE subscriber_id = p_id AND message_id = p_message
      FOR UPDATE SKIP LOCKED;
  RETURN FOUND OR NOT EXISTS (
    SELECT 1 FROM blockqueue_delivery WHERE subscriber_id = p_id AND message_id = p_message);
END $$;

-- The delivery that a receipt is the right to, if it still is.
CREATE OR REPLACE FUNCTION bq_live(p_item jsonb) RETURNS blockqueue_delivery LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_delivery blockqueue_delivery;
BEGIN
  SELECT d.* INTO v_delivery
    FROM blockqueue_delivery d
    JOIN blockqueue_lease l ON l.subscriber_id = d.subscriber_id AND l.id = d.lease_id
    JOIN blockqueue_subscriber s ON s.id = d.subscriber_id
    JOIN blockqueue_topic t ON t.id = s.topic_id
   WHERE d.subscriber_id = (p_item ->> 'subscriber')::bigint AND d.message_id = (p_item ->> 'key')::bigint
     AND l.token = decode(p_item ->> 'token', 'hex') AND s.deleted_at IS NULL AND t.deleted_at IS NULL;
  RETURN v_delivery;
END $$;

-- So many deliveries no longer name this lease.
CREATE OR REPLACE FUNCTION bq_leave_lease(p_id bigint, p_lease bigint, p_count bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM blockqueue_lease WHERE subscriber_id = p_id AND id = p_lease AND live_count <= p_count;
  IF NOT FOUND THEN
    UPDATE blockqueue_lease SET live_count = live_count - p_count
     WHERE subscriber_id = p_id AND id = p_lease;
  END IF;
END $$;

-- A lease has ended: claims that wait for a slot look again.
CREATE OR REPLACE FUNCTION bq_note_slot(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bq_note_ready(id) FROM blockqueue_subscriber WHERE id = p_id AND leased_max IS NOT NULL;
END $$;

-- The delivery is no longer under its lease.
CREATE OR REPLACE FUNCTION bq_leave(p_live blockqueue_delivery) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_expired int := (p_live.state = 2)::int;
BEGIN
  PERFORM bq_leave_lease(p_live.subscriber_id, p_live.lease_id, 1);
  UPDATE blockqueue_subscriber
     SET leased_count = leased_count - 1 + v_expired, retrying_count = retrying_count - v_expired,
         lapsed_count = lapsed_count - v_expired
   WHERE id = p_live.subscriber_id;
  PERFORM bq_note_slot(p_live.subscriber_id);
END $$;

CREATE OR REPLACE FUNCTION bq_end(p_live blockqueue_delivery, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bq_leave(p_live);
  PERFORM bq_delete(p_live.subscriber_id, p_live.message_id);
  PERFORM bq_freed(p_live.subscriber_id, p_live.ordering_key, p_now);
END $$;

-- The attempt does not count: deferring for ever never makes a dead letter.
CREATE OR REPLACE FUNCTION bq_put_back(p_live blockqueue_delivery, p_ready_at bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bq_leave(p_live);
  PERFORM bq_retry(p_live.subscriber_id, p_live.message_id, NULL, p_ready_at, greatest(p_live.attempts - 1, 0),
                   p_live.failures);
  UPDATE blockqueue_subscriber SET retrying_count = retrying_count + 1 WHERE id = p_live.subscriber_id;
  PERFORM bq_note_ready(p_live.subscriber_id);
  PERFORM bq_freed(p_live.subscriber_id, p_live.ordering_key, p_now);
END $$;

-- Makes a delivery wait for its next attempt; its counters are the caller's. p_lease: the lease whose receipt
-- lives on, if it only expired.
CREATE OR REPLACE FUNCTION bq_retry(
  p_id bigint, p_message bigint, p_lease bigint, p_ready_at bigint, p_attempts int, p_failures int)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_delivery
     SET state = 2, lease_id = p_lease, ready_at = p_ready_at, attempts = p_attempts, failures = p_failures,
         expires_at = (SELECT expires_at FROM blockqueue_message WHERE id = p_message)
   WHERE subscriber_id = p_id AND message_id = p_message;
END $$;

-- Makes a delivery a dead letter; its counters are the caller's.
CREATE OR REPLACE FUNCTION bq_bury(p_id bigint, p_message bigint, p_failures int, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_delivery
     SET state = 4, lease_id = NULL, ready_at = p_now, failures = p_failures, expires_at = NULL
   WHERE subscriber_id = p_id AND message_id = p_message;
END $$;

-- Adds to the history of a delivery, and forgets its oldest part.
CREATE OR REPLACE FUNCTION bq_record_failure(
  p_id bigint, p_message bigint, p_failure int, p_error text, p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_failure = 1 THEN
    -- What there is was before a seek.
    DELETE FROM blockqueue_failure WHERE message_id = p_message AND subscriber_id = p_id;
  END IF;
  PERFORM bq_set_failure(p_id, p_message, p_failure, p_error, p_now);
  IF p_failure > 100 THEN
    DELETE FROM blockqueue_failure
     WHERE message_id = p_message AND subscriber_id = p_id AND failure <= p_failure - 100;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION bq_set_failure(
  p_id bigint, p_message bigint, p_failure int, p_error text, p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO blockqueue_failure AS f (message_id, subscriber_id, failure, failed_at, error)
  VALUES (p_message, p_id, p_failure, p_now, p_error)
  ON CONFLICT (message_id, subscriber_id, failure) DO UPDATE
     SET error = coalesce(excluded.error, f.error), failed_at = excluded.failed_at;
END $$;

-- Deletes the row of a delivery; its counters are the caller's.
CREATE OR REPLACE FUNCTION bq_delete(p_id bigint, p_message bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM blockqueue_delivery WHERE subscriber_id = p_id AND message_id = p_message;
  PERFORM bq_let_go(ARRAY[p_message]);
END $$;

-- Deliveries of these messages have ended: those that the trimmer has passed are removed with their last one.
CREATE OR REPLACE FUNCTION bq_let_go(p_keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_free bigint[];
BEGIN
  SELECT array_agg(k) INTO v_free
    FROM unnest(p_keys) k
    JOIN blockqueue_log l ON l.id = bq_log_of(k)
   WHERE bq_seq_of(k) <= l.trim_seq
     AND NOT EXISTS (SELECT 1
                       FROM blockqueue_subscriber s
                       JOIN blockqueue_delivery d ON d.subscriber_id = s.id AND d.message_id = k
                      WHERE s.topic_id = l.topic_id AND s.deleted_at IS NULL);
  IF v_free IS NOT NULL THEN
    PERFORM bq_remove_messages(v_free);
  END IF;
END $$;

-- Deletes the rows of messages, and their history.
CREATE OR REPLACE FUNCTION bq_remove_messages(p_keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM blockqueue_message WHERE id = ANY (p_keys);
  DELETE FROM blockqueue_failure WHERE message_id = ANY (p_keys);
END $$;

-- --- extend ---------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION bq_extendable(p_item jsonb, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF (bq_live(p_item)).subscriber_id IS NULL THEN
    RETURN 'null';
  END IF;
  RETURN jsonb_build_object('expires_at', p_now + (p_item ->> 'lease_ms')::bigint);
END $$;

-- The expiry stands in the lease row of a whole claim. Extending all of its deliveries is one update; extending
-- some of them moves those to a lease row of their own with the same token, so that their receipts stay as they
-- are. What an application is settling in a transaction of its own is not moved: nobody takes it away meanwhile.
CREATE OR REPLACE FUNCTION bq_extend(p_items jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_part record;
  v_lease bigint;
  v_whole boolean;
  v_keys bigint[];
  v_expired bigint;
BEGIN
  FOR v_part IN
    SELECT d.subscriber_id, d.lease_id, i.expires_at, array_agg(d.message_id) AS keys, count(*) AS count
      FROM (SELECT DISTINCT (v ->> 'subscriber')::bigint AS subscriber, (v ->> 'key')::bigint AS key,
                   max((v ->> 'expires_at')::bigint) AS expires_at
              FROM jsonb_array_elements(p_items) v GROUP BY 1, 2) i
     CROSS JOIN LATERAL (
       SELECT * FROM blockqueue_delivery
        WHERE subscriber_id = i.subscriber AND message_id = i.key LIMIT 1) d
     GROUP BY d.subscriber_id, d.lease_id, i.expires_at
  LOOP
    v_lease := v_part.lease_id;
    UPDATE blockqueue_lease SET expires_at = v_part.expires_at
     WHERE subscriber_id = v_part.subscriber_id AND id = v_lease AND live_count = v_part.count;
    v_whole := FOUND;
    -- Those whose rows change: all that move, or that the lease had lost.
    SELECT array_agg(message_id ORDER BY message_id), count(*) FILTER (WHERE state = 2)
      INTO v_keys, v_expired
      FROM (SELECT message_id, state FROM blockqueue_delivery
             WHERE subscriber_id = v_part.subscriber_id AND message_id = ANY (v_part.keys)
               AND (state = 2 OR NOT v_whole)
               FOR UPDATE SKIP LOCKED) taken;
    CONTINUE WHEN v_keys IS NULL;
    IF NOT v_whole THEN
      UPDATE blockqueue_subscriber SET lease_seq = lease_seq + 1 WHERE id = v_part.subscriber_id
      RETURNING lease_seq INTO v_lease;
      INSERT INTO blockqueue_lease (subscriber_id, id, token, expires_at, live_count, runs)
      SELECT subscriber_id, v_lease, token, v_part.expires_at, cardinality(v_keys), bq_runs(v_keys)
        FROM blockqueue_lease WHERE subscriber_id = v_part.subscriber_id AND id = v_part.lease_id;
      PERFORM bq_leave_lease(v_part.subscriber_id, v_part.lease_id, cardinality(v_keys));
    END IF;
    UPDATE blockqueue_delivery SET state = 1, lease_id = v_lease, ready_at = NULL, expires_at = NULL
     WHERE subscriber_id = v_part.subscriber_id AND message_id = ANY (v_keys);
    UPDATE blockqueue_subscriber
       SET leased_count = leased_count + v_expired, retrying_count = retrying_count - v_expired,
           lapsed_count = lapsed_count - v_expired
     WHERE id = v_part.subscriber_id;
  END LOOP;
END $$;
