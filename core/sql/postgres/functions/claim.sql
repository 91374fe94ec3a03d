-- Claim: lease deliveries to one consumer.
--
-- Owns the transitions pending -> leased and retrying -> leased, and the cursor. Does not settle. Highest
-- priority first; within one priority whatever became claimable first, be it a retry or a message that nobody
-- has seen. Invariant: a delivery has at most one live receipt.

-- p_claim: "sources", pairs of topic and subscriber; "limit", "lease_ms", "ends" (pairs of log and sequence
-- number) if it has them; "token" of the lease. The first source that has something gives it.
CREATE OR REPLACE FUNCTION bq_claim(p_claim jsonb, p_now bigint, OUT o_answer jsonb, OUT o_bodies bytea[])
LANGUAGE plpgsql AS $$
DECLARE
  v_source jsonb;
  v_topic blockqueue_topic;
  v_subscriber blockqueue_subscriber;
  v_ids bigint[] := '{}';
  v_id bigint;
  v_sifts boolean;
  v_lease record;
  v_due bigint;
  v_next bigint;
  v_ends jsonb := p_claim -> 'ends';
BEGIN
  o_answer := '{}';
  o_bodies := '{}';
  FOR v_source IN SELECT * FROM jsonb_array_elements(p_claim -> 'sources') LOOP
    v_topic := bq_topic(v_source ->> 0);
    v_subscriber := bq_find_subscriber(v_topic, v_source ->> 1);
    v_ids := v_ids || v_subscriber.id;
  END LOOP;
  FOREACH v_id IN ARRAY v_ids LOOP
    SELECT t.* INTO v_topic
      FROM blockqueue_topic t JOIN blockqueue_subscriber s ON s.topic_id = t.id WHERE s.id = v_id;
    SELECT * INTO v_subscriber FROM blockqueue_subscriber WHERE id = v_id;
    CONTINUE WHEN v_topic.paused OR v_subscriber.paused;
    v_sifts := bq_sift(v_id, p_now);
    SELECT * INTO v_lease
      FROM bq_lease(v_id, coalesce((p_claim ->> 'limit')::bigint, v_subscriber.claim_limit),
                    coalesce((p_claim ->> 'lease_ms')::bigint, v_subscriber.lease_ms),
                    decode(p_claim ->> 'token', 'hex'), p_now);
    v_due := CASE WHEN v_sifts THEN p_now ELSE bq_when_next(v_id, p_now, v_lease.o_stuck) END;
    v_next := least(v_next, v_due);
    IF v_lease.o_deliveries IS NOT NULL THEN
      o_answer := jsonb_build_object(
        'topic', v_topic.name, 'subscriber', v_subscriber.name, 'subscriber_id', v_id,
        'lease', v_lease.o_lease, 'expires_at', v_lease.o_expires_at, 'token', p_claim ->> 'token',
        'deliveries', v_lease.o_deliveries);
      o_bodies := v_lease.o_bodies;
      EXIT;
    END IF;
    -- Subscribers after this one wait for it, as they would if it had something.
    IF v_sifts OR (v_lease.o_unfinished AND NOT (v_ends IS NOT NULL AND NOT EXISTS (
         SELECT 1
           FROM jsonb_array_elements(v_ends) e
           JOIN blockqueue_log l ON l.id = (e ->> 0)::bigint AND l.topic_id = v_topic.id
          WHERE bq_cursor(v_id, l.id) < (e ->> 1)::bigint))) THEN
      o_answer := jsonb_build_object('go_on', coalesce(v_ends, (
        SELECT coalesce(jsonb_agg(jsonb_build_array(l.id, l.last_seq)), '[]')
          FROM blockqueue_log l
         WHERE l.kind = 0 AND l.topic_id IN (
           SELECT topic_id FROM blockqueue_subscriber WHERE id = ANY (v_ids)))));
      EXIT;
    END IF;
  END LOOP;
  IF v_next IS NOT NULL THEN
    o_answer := o_answer || jsonb_build_object('next_due', v_next);
  END IF;
END $$;

-- Picks for one subscriber, and writes the lease and the deliveries under it. Without any: o_deliveries is
-- NULL, o_unfinished says that it came to the bound of one transaction, o_stuck are logs that are not read any
-- further until a key is free.
CREATE OR REPLACE FUNCTION bq_lease(
  p_id bigint, p_limit bigint, p_lease_ms bigint, p_token bytea, p_now bigint,
  OUT o_deliveries jsonb, OUT o_bodies bytea[], OUT o_lease bigint, OUT o_expires_at bigint,
  OUT o_unfinished boolean, OUT o_stuck bigint[])
LANGUAGE plpgsql AS $$
DECLARE
  v_subscriber blockqueue_subscriber;
  v_keys bigint[];
  v_first bigint;
  v_last bigint;
BEGIN
  SELECT * INTO v_subscriber FROM blockqueue_subscriber WHERE id = p_id;
  o_lease := v_subscriber.lease_seq + 1;
  o_expires_at := p_now + p_lease_ms;
  o_unfinished := false;
  o_stuck := '{}';
  p_limit := least(p_limit, bq_tokens(v_subscriber, p_now));
  IF p_limit > 0 THEN
    IF v_subscriber.filter IS NULL AND NOT bq_goes_by_keys(v_subscriber) AND v_subscriber.leased_max IS NULL
       AND v_subscriber.ahead_count = 0 AND v_subscriber.retrying_count = 0
       AND NOT EXISTS (SELECT 1 FROM blockqueue_log
                        WHERE topic_id = v_subscriber.topic_id AND kind = 0 AND expiring) THEN
      v_keys := bq_pick_plain(v_subscriber, p_limit, o_lease);
      -- They ascend within a log, and logs are far from one another.
      v_first := v_keys[1];
      v_last := v_keys[cardinality(v_keys)];
    ELSE
      SELECT p.o_keys, p.o_unfinished, p.o_stuck INTO v_keys, o_unfinished, o_stuck
        FROM bq_pick(v_subscriber, p_limit, o_lease, p_now) p;
    END IF;
  END IF;
  -- With every cursor at its end nothing is ahead, whatever was removed meanwhile.
  UPDATE blockqueue_subscriber s SET ahead_count = 0
   WHERE s.id = p_id AND s.ahead_count <> 0
     AND NOT EXISTS (SELECT 1 FROM blockqueue_log l
                      WHERE l.topic_id = s.topic_id AND l.kind = 0 AND bq_cursor(p_id, l.id) < l.last_seq);
  IF coalesce(cardinality(v_keys), 0) = 0 THEN
    RETURN;
  END IF;
  INSERT INTO blockqueue_lease (subscriber_id, id, token, expires_at, live_count, runs)
  VALUES (p_id, o_lease, p_token, o_expires_at, cardinality(v_keys),
          CASE WHEN v_last - v_first = cardinality(v_keys) - 1 THEN ARRAY[v_first, v_last] ELSE bq_runs(v_keys) END);
  UPDATE blockqueue_subscriber
     SET lease_seq = o_lease, claimed_count = claimed_count + cardinality(v_keys),
         leased_count = leased_count + cardinality(v_keys)
   WHERE id = p_id;
  PERFORM bq_spend(p_id, cardinality(v_keys), p_now);
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
           'key', m.id, 'published_at', m.published_at, 'origin', m.origin, 'accepted_at', m.accepted_at,
           'content_type', m.content_type, 'headers', m.headers, 'correlation_id', m.correlation_id,
           'ordering_key', m.ordering_key, 'expires_at', m.expires_at, 'priority', d.priority,
           'attempt', d.attempts, 'failures', d.failures)) ORDER BY k.n),
         array_agg(m.payload ORDER BY k.n)
    INTO o_deliveries, o_bodies
    FROM unnest(v_keys) WITH ORDINALITY k(id, n)
   CROSS JOIN LATERAL (SELECT * FROM blockqueue_message WHERE id = k.id LIMIT 1) m
   CROSS JOIN LATERAL (
     SELECT * FROM blockqueue_delivery WHERE subscriber_id = p_id AND message_id = k.id LIMIT 1) d;
END $$;

-- First and last key of each run of neighbours, in the order in which they were picked.
CREATE OR REPLACE FUNCTION bq_runs(p_keys bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(v ORDER BY run, v)
    FROM (SELECT run, unnest(ARRAY[min(k), max(k)]) AS v
            FROM (SELECT k, count(*) FILTER (WHERE begins) OVER (ORDER BY n) AS run
                    FROM (SELECT k, n, k IS DISTINCT FROM lag(k) OVER (ORDER BY n) + 1 AS begins
                            FROM unnest(p_keys) WITH ORDINALITY picked(k, n)) picked) numbered
           GROUP BY run) ends
$$;

CREATE OR REPLACE FUNCTION bq_each_run(p_runs bigint[]) RETURNS TABLE (run int, first bigint, last bigint)
LANGUAGE sql IMMUTABLE AS $$
  SELECT n, p_runs[2 * n - 1], p_runs[2 * n] FROM generate_series(1, cardinality(p_runs) / 2) n
$$;

-- The usual case: nothing to choose by, nothing waits for another attempt. The next messages of the logs,
-- highest priority first, in few statements.
CREATE OR REPLACE FUNCTION bq_pick_plain(p_subscriber blockqueue_subscriber, p_limit bigint, p_lease bigint)
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  v_log record;
  v_keys bigint[] := '{}';
  v_new bigint[];
  v_found bigint;
  v_bytes bigint := 16777216;
  v_taken bigint;
BEGIN
  FOR v_log IN
    SELECT l.id, l.priority, l.last_seq, bq_cursor(p_subscriber.id, l.id) AS seq
      FROM blockqueue_log l
     WHERE l.topic_id = p_subscriber.topic_id AND l.kind = 0
     ORDER BY l.priority DESC, l.id
  LOOP
    CONTINUE WHEN v_log.seq >= v_log.last_seq;
    -- A single message may be larger than the bound.
    SELECT count(*), array_agg(id ORDER BY id) FILTER (WHERE sum <= v_bytes OR (n = 1 AND cardinality(v_keys) = 0)),
           sum(size) FILTER (WHERE sum <= v_bytes OR (n = 1 AND cardinality(v_keys) = 0))
      INTO v_found, v_new, v_taken
      FROM (SELECT id, size, sum(size) OVER (ORDER BY id) AS sum, row_number() OVER (ORDER BY id) AS n
              FROM (SELECT id, bq_size(m) AS size
                      FROM blockqueue_message m
                     WHERE id > bq_key(v_log.id, v_log.seq) AND id <= bq_key(v_log.id, v_log.last_seq)
                     ORDER BY id
                     LIMIT p_limit - cardinality(v_keys)) next) summed;
    INSERT INTO blockqueue_delivery (subscriber_id, message_id, state, lease_id, priority, attempts, failures)
    SELECT p_subscriber.id, id, 1, p_lease, v_log.priority, 1, 0 FROM unnest(v_new) id;
    v_keys := v_keys || coalesce(v_new, '{}');
    v_bytes := v_bytes - coalesce(v_taken, 0);
    IF cardinality(v_keys) < p_limit AND v_found = coalesce(cardinality(v_new), 0) THEN
      -- Read to its end: what was removed behind the last message is passed, too.
      PERFORM bq_move_cursor(p_subscriber.id, v_log.id, v_log.last_seq);
    ELSE
      IF cardinality(v_new) > 0 THEN
        PERFORM bq_move_cursor(p_subscriber.id, v_log.id, bq_seq_of(v_new[cardinality(v_new)]));
      END IF;
      EXIT;
    END IF;
  END LOOP;
  RETURN v_keys;
END $$;

-- Bytes of a message as claims and pages are bounded by them.
CREATE OR REPLACE FUNCTION bq_size(p_message blockqueue_message) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT octet_length(p_message.payload)::bigint + coalesce(octet_length(p_message.headers::text), 0)
       + coalesce(octet_length(p_message.content_type), 0) + coalesce(octet_length(p_message.correlation_id), 0)
$$;

-- What each delivery needs to be looked at for: retries and new messages of one priority, merged by the time
-- since when they are claimable. Deliveries are written as they are picked, so that what looks at keys sees
-- them. Messages passed over are bounded: others wait for the topic meanwhile.
CREATE OR REPLACE FUNCTION bq_pick(
  p_subscriber blockqueue_subscriber, p_limit bigint, p_lease bigint, p_now bigint,
  OUT o_keys bigint[], OUT o_unfinished boolean, OUT o_stuck bigint[])
LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint := p_subscriber.id;
  v_keyed boolean := bq_goes_by_keys(p_subscriber);
  v_level record;
  v_log record;
  v_retries refcursor;
  v_news refcursor;
  v_retry record;
  v_new record;
  v_has_retry boolean;
  v_retries_ended boolean;
  v_has_new boolean;
  v_new_ended boolean;
  v_looks boolean;
  v_passed bigint;
  v_stopped boolean;
  v_full boolean;
  v_verdict text;
  v_items bigint := p_limit;
  v_bytes bigint := 16777216;
  v_slots bigint := bq_slots(p_subscriber);
  v_scanned int := 0;
  v_until timestamptz := clock_timestamp() + interval '3 ms';
  v_ahead_row blockqueue_delivery;
  -- Deliveries that waited for an attempt, and whose key has no room.
  v_without_room bigint[] := '{}';
  v_parked_here int := 0;
  -- What the counters of the subscriber change by.
  v_retrying bigint := 0;
  v_lapsed bigint := 0;
  v_parked bigint := 0;
  v_dead bigint := 0;
  v_ahead bigint := 0;
  v_filtered bigint := 0;
  v_expired bigint := 0;
BEGIN
  o_keys := '{}';
  o_unfinished := false;
  o_stuck := '{}';
  -- A record has columns once it was read.
  SELECT NULL::bigint AS ready_at INTO v_retry;
  SELECT NULL::bigint AS published_at INTO v_new;
  <<levels>>
  FOR v_level IN
    SELECT priority FROM blockqueue_log
     WHERE topic_id = p_subscriber.topic_id AND kind = 0 AND (v_slots IS NULL OR v_slots > 0)
     GROUP BY priority ORDER BY priority DESC
  LOOP
    v_has_retry := false;
    v_retries_ended := p_subscriber.retrying_count = 0;
    IF NOT v_retries_ended THEN
      OPEN v_retries FOR
        SELECT d.message_id, d.ready_at, d.lease_id, d.ordering_key, m.expires_at, m.size
          FROM blockqueue_delivery d
         CROSS JOIN LATERAL (
           SELECT expires_at, bq_size(message) AS size FROM blockqueue_message message WHERE id = d.message_id LIMIT 1) m
         WHERE d.subscriber_id = v_id AND d.state = 2 AND d.priority = v_level.priority
           AND d.ready_at <= p_now
         ORDER BY d.ready_at, d.message_id
           -- An application that is settling one in a transaction of its own has it locked.
           FOR UPDATE OF d SKIP LOCKED;
    END IF;
    -- After the logs of the level comes nothing, for the retries that are left.
    FOR v_log IN
      SELECT l.id, l.last_seq, bq_cursor(v_id, l.id) AS seq, l.expiring
        FROM blockqueue_log l
       WHERE l.topic_id = p_subscriber.topic_id AND l.kind = 0 AND l.priority = v_level.priority
      UNION ALL
      SELECT NULL, 0, 0, false
       ORDER BY id NULLS LAST
    LOOP
      CONTINUE WHEN o_unfinished AND v_log.id IS NOT NULL;
      v_has_new := false;
      v_new_ended := v_log.id IS NULL OR v_log.seq >= v_log.last_seq;
      v_stopped := false;
      v_passed := v_log.seq;
      v_looks := p_subscriber.filter IS NOT NULL OR v_keyed OR v_log.expiring
                 OR p_subscriber.ahead_count > 0;
      IF NOT v_new_ended THEN
        OPEN v_news FOR
          SELECT m.id, m.published_at, m.expires_at, m.ordering_key, m.headers, bq_size(m) AS size,
                 0 AS dead_failures, false AS was_dead
            FROM blockqueue_message m
           WHERE m.id > bq_key(v_log.id, v_log.seq) AND m.id <= bq_key(v_log.id, v_log.last_seq)
           ORDER BY m.id;
      END IF;
      LOOP
        -- The next retry that may be handed out.
        WHILE NOT v_has_retry AND NOT v_retries_ended LOOP
          FETCH v_retries INTO v_retry;
          IF NOT FOUND THEN
            v_retries_ended := true;
          ELSIF v_retry.expires_at <= p_now THEN
            -- More expired at once than one transaction ends.
            NULL;
          ELSIF v_retry.lease_id IS NOT NULL AND bq_is_settling(v_id, v_retry.message_id) THEN
            NULL;
          ELSIF v_keyed AND v_retry.ordering_key IS NOT NULL
                AND bq_key_held(v_id, v_retry.ordering_key)
                    - (CASE WHEN v_retry.lease_id IS NOT NULL THEN 1 ELSE 0 END)
                    >= bq_leases_per_key(p_subscriber) THEN
            v_without_room := v_without_room || v_retry.message_id;
          ELSE
            v_has_retry := true;
          END IF;
        END LOOP;
        -- The next message that nobody has claimed. What there is no room for is not looked at.
        IF NOT v_has_new AND NOT v_new_ended THEN
          v_full := v_items = 0;
          EXIT WHEN v_full;
          LOOP
            FETCH v_news INTO v_new;
            IF NOT FOUND THEN
              v_new_ended := true;
              EXIT;
            END IF;
            v_has_new := true;
            EXIT WHEN NOT v_looks;
            IF v_scanned >= 10000 OR (v_scanned % 64 = 63 AND clock_timestamp() > v_until) THEN
              o_unfinished := true;
              v_has_new := false;
              v_stopped := true;
              v_new_ended := true;
              EXIT;
            END IF;
            v_verdict := 'deliver';
            v_ahead_row := NULL;
            IF p_subscriber.ahead_count > 0 THEN
              SELECT * INTO v_ahead_row
                FROM blockqueue_delivery WHERE subscriber_id = v_id AND message_id = v_new.id;
            END IF;
            v_new.was_dead := coalesce(v_ahead_row.state = 4, false);
            IF v_ahead_row.state <> 4 THEN
              -- It was cancelled, or is in flight.
              v_ahead := v_ahead - 1;
              DELETE FROM blockqueue_delivery
               WHERE subscriber_id = v_id AND message_id = v_new.id AND state = 5;
              v_verdict := 'pass';
            ELSIF NOT bq_matches(p_subscriber.filter, v_new.headers) THEN
              v_filtered := v_filtered + 1;
              v_ahead := v_ahead - v_new.was_dead::int;
              v_verdict := 'pass';
            ELSIF v_new.expires_at <= p_now THEN
              IF v_new.was_dead THEN
                v_ahead := v_ahead - 1;
              ELSE
                v_expired := v_expired + 1;
                v_dead := v_dead + bq_pass_expired(p_subscriber, v_level.priority, v_new.id,
                                                   v_new.ordering_key, p_now);
              END IF;
              v_verdict := 'pass';
            ELSIF v_keyed AND v_new.ordering_key IS NOT NULL
                  AND NOT bq_has_room_for_new(p_subscriber, v_new.ordering_key, v_new.id) THEN
              v_verdict := 'park';
            END IF;
            EXIT WHEN v_verdict = 'deliver';
            IF v_verdict = 'park' THEN
              -- As far as the limits allow.
              IF p_subscriber.parked_count + v_parked >= 100000 THEN
                o_stuck := o_stuck || v_log.id;
                v_stopped := true;
              ELSIF v_parked_here >= 1000 THEN
                o_unfinished := true;
                v_stopped := true;
              END IF;
              IF v_stopped THEN
                v_has_new := false;
                v_new_ended := true;
                EXIT;
              END IF;
              v_parked_here := v_parked_here + 1;
              v_parked := v_parked + 1;
              v_ahead := v_ahead - v_new.was_dead::int;
              v_dead := v_dead - v_new.was_dead::int;
              PERFORM bq_park(v_id, v_new.id, v_level.priority, v_new.ordering_key, v_new.expires_at);
            END IF;
            v_has_new := false;
            v_passed := bq_seq_of(v_new.id);
            v_scanned := v_scanned + 1;
          END LOOP;
        END IF;
        -- Whatever became claimable first.
        IF v_has_retry AND (CASE WHEN v_has_new THEN v_retry.ready_at <= v_new.published_at
                                 ELSE v_log.id IS NULL END) THEN
          v_full := NOT (v_items > 0 AND (cardinality(o_keys) = 0 OR v_retry.size <= v_bytes)
                         AND (v_slots IS NULL OR v_slots > 0 OR v_retry.lease_id IS NOT NULL));
          EXIT WHEN v_full;
          v_retrying := v_retrying - 1;
          IF v_retry.lease_id IS NOT NULL THEN
            v_lapsed := v_lapsed - 1;
            PERFORM bq_leave_lease(v_id, v_retry.lease_id, 1);
          ELSE
            v_slots := v_slots - 1;
          END IF;
          PERFORM bq_hand_out_again(v_id, v_retry.message_id, p_lease);
          o_keys := o_keys || v_retry.message_id;
          v_items := v_items - 1;
          v_bytes := greatest(v_bytes - v_retry.size, 0);
          v_has_retry := false;
        ELSIF v_has_new THEN
          v_full := NOT (v_items > 0 AND (cardinality(o_keys) = 0 OR v_new.size <= v_bytes)
                         AND (v_slots IS NULL OR v_slots > 0));
          EXIT WHEN v_full;
          v_has_new := false;
          IF v_keyed AND v_new.ordering_key IS NOT NULL
             AND NOT bq_has_room_for_new(p_subscriber, v_new.ordering_key, v_new.id) THEN
            -- Retries have used up its key meanwhile.
            v_parked := v_parked + 1;
            v_parked_here := v_parked_here + 1;
            v_ahead := v_ahead - v_new.was_dead::int;
            v_dead := v_dead - v_new.was_dead::int;
            PERFORM bq_park(v_id, v_new.id, v_level.priority, v_new.ordering_key, v_new.expires_at);
          ELSE
            IF v_new.was_dead THEN
              v_ahead := v_ahead - 1;
              v_dead := v_dead - 1;
              PERFORM bq_hand_out_dead(v_id, v_new.id, p_lease);
            ELSE
              INSERT INTO blockqueue_delivery (subscriber_id, message_id, state, lease_id, priority, attempts,
                                               failures, ordering_key)
              VALUES (v_id, v_new.id, 1, p_lease, v_level.priority, 1, 0,
                      CASE WHEN v_keyed THEN v_new.ordering_key END);
            END IF;
            o_keys := o_keys || v_new.id;
            v_items := v_items - 1;
            v_bytes := greatest(v_bytes - v_new.size, 0);
            v_slots := v_slots - 1;
          END IF;
          v_passed := bq_seq_of(v_new.id);
        ELSE
          v_full := v_items = 0;
          EXIT;
        END IF;
      END LOOP;
      IF v_log.id IS NOT NULL THEN
        IF v_log.seq < v_log.last_seq THEN
          CLOSE v_news;
        END IF;
        -- Read to its end: what was removed behind the last message is passed, too.
        IF NOT v_full AND NOT v_has_new AND NOT v_stopped AND v_items > 0 THEN
          v_passed := v_log.last_seq;
        END IF;
        IF v_passed <> v_log.seq THEN
          PERFORM bq_move_cursor(v_id, v_log.id, v_passed);
        END IF;
      END IF;
      EXIT levels WHEN v_full;
    END LOOP;
    IF p_subscriber.retrying_count > 0 THEN
      CLOSE v_retries;
    END IF;
    EXIT WHEN v_items = 0 OR o_unfinished;
  END LOOP;
  -- Deliveries whose key turned out to have no room for them go back behind it.
  FOR v_retry IN
    SELECT d.message_id, d.attempts, d.lease_id
      FROM unnest(v_without_room) k
     CROSS JOIN LATERAL (
       SELECT * FROM blockqueue_delivery WHERE subscriber_id = v_id AND message_id = k LIMIT 1) d
  LOOP
    v_retrying := v_retrying - 1;
    IF v_retry.lease_id IS NOT NULL THEN
      v_lapsed := v_lapsed - 1;
      PERFORM bq_leave_lease(v_id, v_retry.lease_id, 1);
    END IF;
    PERFORM bq_park_again(v_id, v_retry.message_id, v_retry.attempts);
  END LOOP;
  -- With no slot left, what can be handed out is what holds one: deliveries whose lease expired.
  IF v_slots <= 0 AND p_subscriber.lapsed_count + v_lapsed > 0 THEN
    FOR v_retry IN
      SELECT d.message_id, d.lease_id, m.size
        FROM blockqueue_lease l
       CROSS JOIN LATERAL bq_each_run(l.runs) r
       CROSS JOIN LATERAL (
         SELECT * FROM blockqueue_delivery
          WHERE subscriber_id = v_id AND message_id BETWEEN r.first AND r.last AND lease_id = l.id AND state = 2
         OFFSET 0) d
       CROSS JOIN LATERAL (
         SELECT expires_at, bq_size(message) AS size FROM blockqueue_message message WHERE id = d.message_id LIMIT 1) m
       WHERE l.subscriber_id = v_id AND l.expires_at IS NULL
         AND (m.expires_at IS NULL OR m.expires_at > p_now)
       ORDER BY l.id, r.run, d.message_id
         FOR UPDATE OF d SKIP LOCKED
    LOOP
      CONTINUE WHEN bq_is_settling(v_id, v_retry.message_id);
      EXIT WHEN v_items <= 0 OR (cardinality(o_keys) > 0 AND v_retry.size > v_bytes);
      v_retrying := v_retrying - 1;
      v_lapsed := v_lapsed - 1;
      PERFORM bq_leave_lease(v_id, v_retry.lease_id, 1);
      PERFORM bq_hand_out_again(v_id, v_retry.message_id, p_lease);
      o_keys := o_keys || v_retry.message_id;
      v_items := v_items - 1;
      v_bytes := greatest(v_bytes - v_retry.size, 0);
    END LOOP;
  END IF;
  UPDATE blockqueue_subscriber
     SET retrying_count = retrying_count + v_retrying, lapsed_count = lapsed_count + v_lapsed,
         parked_count = parked_count + v_parked, dead_count = dead_count + v_dead,
         ahead_count = ahead_count + v_ahead, filtered_count = filtered_count + v_filtered,
         ttl_expired_count = ttl_expired_count + v_expired
   WHERE id = v_id;
END $$;

CREATE OR REPLACE FUNCTION bq_hand_out_again(p_id bigint, p_message bigint, p_lease bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_delivery
     SET state = 1, lease_id = p_lease, attempts = attempts + 1, ready_at = NULL, expires_at = NULL
   WHERE subscriber_id = p_id AND message_id = p_message;
END $$;

-- A dead letter that a seek went back behind: all attempts are before it.
CREATE OR REPLACE FUNCTION bq_hand_out_dead(p_id bigint, p_message bigint, p_lease bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_delivery
     SET state = 1, lease_id = p_lease, attempts = 1, ready_at = NULL, expires_at = NULL
   WHERE subscriber_id = p_id AND message_id = p_message;
END $$;

-- Sets aside a message ahead of the cursor; the counters are the caller's. It has a row if it is a dead letter
-- that a seek went back behind.
CREATE OR REPLACE FUNCTION bq_park(p_id bigint, p_message bigint, p_priority int, p_key text, p_expires_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO blockqueue_delivery (subscriber_id, message_id, state, priority, attempts, failures, ordering_key,
                                   expires_at)
  VALUES (p_id, p_message, 3, p_priority, 0, 0, p_key, p_expires_at)
  ON CONFLICT (subscriber_id, message_id) DO UPDATE
     SET state = 3, lease_id = NULL, ready_at = NULL, attempts = 0, expires_at = excluded.expires_at,
         ordering_key = excluded.ordering_key;
END $$;

-- Passes over a message that expired before anybody claimed it. The answer is how many dead letters that made.
CREATE OR REPLACE FUNCTION bq_pass_expired(
  p_subscriber blockqueue_subscriber, p_priority int, p_message bigint, p_key text, p_now bigint)
RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF p_subscriber.on_expiry = 0 THEN
    RETURN 0;
  END IF;
  INSERT INTO blockqueue_delivery (subscriber_id, message_id, state, priority, attempts, failures, ready_at,
                                   ordering_key)
  VALUES (p_subscriber.id, p_message, 4, p_priority, 0, 1, p_now,
          CASE WHEN bq_goes_by_keys(p_subscriber) THEN p_key END);
  PERFORM bq_record_failure(p_subscriber.id, p_message, 1, 'expired', p_now);
  RETURN 1;
END $$;
