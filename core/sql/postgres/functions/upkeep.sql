-- Upkeep: remove what nobody wants any more, a bounded step per group.
--
-- Trims logs up to what retention and the slowest subscriber allow, each message once; a message held back by a
-- delivery is removed later by whatever ends that delivery. Reclaims the rows of deleted topics and subscribers.
-- Forgets idempotency keys past their window, unique keys that are free, results that have expired, and groups
-- whose answer nobody asks for any more. Leaves out topics whose turn somebody else has.

-- The answer is whether there is more to do.
CREATE OR REPLACE FUNCTION bq_upkeep(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_touched bigint;
BEGIN
  IF bq_pass_pending(p_now) OR bq_trim(p_now) THEN
    RETURN true;
  END IF;
  DELETE FROM blockqueue_idempotency
   WHERE (topic_id, key) IN (SELECT topic_id, key FROM blockqueue_idempotency
                              WHERE expires_at <= p_now ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_touched = ROW_COUNT;
  IF v_touched = 1000 OR bq_forget_unique(p_now) THEN
    RETURN true;
  END IF;
  DELETE FROM blockqueue_result
   WHERE id IN (SELECT id FROM blockqueue_result
                 WHERE expires_at <= p_now ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_touched = ROW_COUNT;
  IF v_touched = 100 THEN
    RETURN true;
  END IF;
  DELETE FROM blockqueue_group
   WHERE id IN (SELECT id FROM blockqueue_group
                 WHERE done_at <= p_now - 3600000 ORDER BY done_at LIMIT 10000 FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_touched = ROW_COUNT;
  RETURN v_touched = 10000 OR bq_reclaim();
END $$;

-- Moves cursors over what has expired right above them, so that a subscriber that never claims holds no message
-- for ever.
CREATE OR REPLACE FUNCTION bq_pass_pending(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_log blockqueue_log;
  v_subscriber blockqueue_subscriber;
  v_message record;
  v_cursor bigint;
  v_moved bigint;
  v_dead bigint;
  v_passed bigint;
  v_filtered bigint;
  v_room int := 1000;
BEGIN
  FOR v_log IN
    SELECT l.* FROM blockqueue_log l JOIN blockqueue_topic t ON t.id = l.topic_id
     WHERE l.kind = 0 AND l.expiring AND t.deleted_at IS NULL
  LOOP
    CONTINUE WHEN NOT bq_try_turn(v_log.topic_id);
    FOR v_subscriber IN
      SELECT * FROM blockqueue_subscriber
       -- Rows ahead of the cursor are left to a claim.
       WHERE topic_id = v_log.topic_id AND deleted_at IS NULL AND ahead_count = 0
    LOOP
      v_cursor := bq_cursor(v_subscriber.id, v_log.id);
      v_moved := v_cursor;
      v_dead := 0;
      v_passed := 0;
      v_filtered := 0;
      FOR v_message IN
        SELECT id, expires_at, ordering_key, headers FROM blockqueue_message
         WHERE id > bq_key(v_log.id, v_cursor) AND id <= bq_key(v_log.id, v_log.last_seq)
         ORDER BY id LIMIT v_room
      LOOP
        EXIT WHEN v_message.expires_at IS NULL OR v_message.expires_at > p_now;
        IF bq_matches(v_subscriber.filter, v_message.headers) THEN
          v_passed := v_passed + 1;
          v_dead := v_dead + bq_pass_expired(v_subscriber, v_log.priority, v_message.id,
                                             v_message.ordering_key, p_now);
        ELSE
          v_filtered := v_filtered + 1;
        END IF;
        v_moved := bq_seq_of(v_message.id);
        v_room := v_room - 1;
      END LOOP;
      IF v_moved <> v_cursor THEN
        PERFORM bq_move_cursor(v_subscriber.id, v_log.id, v_moved);
        UPDATE blockqueue_subscriber
           SET ttl_expired_count = ttl_expired_count + v_passed, filtered_count = filtered_count + v_filtered,
               dead_count = dead_count + v_dead
         WHERE id = v_subscriber.id;
        PERFORM bq_note_ended();
      END IF;
      IF v_room = 0 THEN
        RETURN true;
      END IF;
    END LOOP;
  END LOOP;
  RETURN false;
END $$;

CREATE OR REPLACE FUNCTION bq_trim(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
  v_topic blockqueue_topic;
  v_log blockqueue_log;
  v_floor bigint;
  v_to bigint;
  v_trimmed_at bigint;
  v_room bigint := 10000;
  v_more boolean := false;
BEGIN
  FOR v_row IN
    SELECT l.id, l.topic_id FROM blockqueue_log l JOIN blockqueue_topic t ON t.id = l.topic_id
     WHERE l.kind = 0 AND l.trim_seq < l.last_seq AND t.deleted_at IS NULL
  LOOP
    IF v_room <= 0 THEN
      RETURN true;
    END IF;
    CONTINUE WHEN NOT bq_try_turn(v_row.topic_id);
    SELECT * INTO v_log FROM blockqueue_log WHERE id = v_row.id;
    SELECT * INTO v_topic FROM blockqueue_topic WHERE id = v_log.topic_id AND deleted_at IS NULL;
    CONTINUE WHEN NOT FOUND;
    v_floor := bq_floor(v_topic, v_log, p_now);
    v_to := least(v_floor, v_log.trim_seq + v_room);
    IF v_to > v_log.trim_seq THEN
      v_room := v_room - (v_to - v_log.trim_seq);
      v_trimmed_at := (SELECT published_at FROM blockqueue_message
                        WHERE id > bq_key(v_log.id, v_log.trim_seq) AND id <= bq_key(v_log.id, v_to)
                        ORDER BY id DESC LIMIT 1);
      DELETE FROM blockqueue_message m
       WHERE m.id > bq_key(v_log.id, v_log.trim_seq) AND m.id <= bq_key(v_log.id, v_to)
         AND NOT EXISTS (SELECT 1
                           FROM blockqueue_subscriber s
                           JOIN blockqueue_delivery d ON d.subscriber_id = s.id AND d.message_id = m.id
                          WHERE s.topic_id = v_log.topic_id AND s.deleted_at IS NULL);
      DELETE FROM blockqueue_failure f
       WHERE f.message_id > bq_key(v_log.id, v_log.trim_seq) AND f.message_id <= bq_key(v_log.id, v_to)
         AND NOT EXISTS (SELECT 1 FROM blockqueue_message m WHERE m.id = f.message_id);
      UPDATE blockqueue_log
         SET trim_seq = v_to, trimmed_at = coalesce(v_trimmed_at, trimmed_at), gap_count = CASE WHEN v_to = last_seq THEN 0 ELSE gap_count END
       WHERE id = v_log.id;
    END IF;
    v_more := v_more OR v_to < v_floor;
  END LOOP;
  RETURN v_more;
END $$;

-- Forgets unique keys of messages that everybody is done with.
CREATE OR REPLACE FUNCTION bq_forget_unique(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_key blockqueue_unique;
  v_touched int := 0;
BEGIN
  FOR v_key IN
    SELECT * FROM blockqueue_unique WHERE look_at <= p_now ORDER BY look_at LIMIT 100
  LOOP
    CONTINUE WHEN NOT bq_try_turn(v_key.topic_id);
    v_touched := v_touched + 1;
    IF bq_is_done(v_key.topic_id, v_key.message_id, v_key.accepted_at, p_now) THEN
      DELETE FROM blockqueue_unique
       WHERE topic_id = v_key.topic_id AND key = v_key.key AND message_id = v_key.message_id;
    ELSE
      UPDATE blockqueue_unique
         SET look_at = p_now + least(greatest(p_now - accepted_at, 60000), 3600000)
       WHERE topic_id = v_key.topic_id AND key = v_key.key;
    END IF;
  END LOOP;
  RETURN v_touched = 100;
END $$;

-- --- reclaim --------------------------------------------------------------------------------------------

-- One step: a number of rows of a subscriber or topic that nobody sees any more, or the rest.
CREATE OR REPLACE FUNCTION bq_reclaim() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
BEGIN
  SELECT id, topic_id INTO v_row
    FROM blockqueue_subscriber WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF FOUND THEN
    IF bq_try_turn(v_row.topic_id) THEN
      PERFORM bq_reclaim_subscriber(v_row.id);
      RETURN true;
    END IF;
    RETURN false;
  END IF;
  SELECT id INTO v_row
    FROM blockqueue_topic WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF FOUND AND bq_try_turn(v_row.id) THEN
    PERFORM bq_reclaim_topic(v_row.id);
    RETURN true;
  END IF;
  RETURN false;
END $$;

CREATE OR REPLACE FUNCTION bq_reclaim_subscriber(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_keys bigint[];
BEGIN
  WITH gone AS (
    DELETE FROM blockqueue_delivery
     WHERE subscriber_id = p_id
       AND message_id IN (SELECT message_id FROM blockqueue_delivery
                           WHERE subscriber_id = p_id ORDER BY message_id LIMIT 1000)
    RETURNING message_id)
  SELECT array_agg(message_id) INTO v_keys FROM gone;
  PERFORM bq_let_go(v_keys);
  IF coalesce(cardinality(v_keys), 0) < 1000 THEN
    DELETE FROM blockqueue_lease WHERE subscriber_id = p_id;
    DELETE FROM blockqueue_cursor WHERE subscriber_id = p_id;
    DELETE FROM blockqueue_subscriber WHERE id = p_id;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION bq_reclaim_topic(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_log blockqueue_log;
  v_schedule bigint;
  v_touched bigint;
BEGIN
  SELECT id INTO v_schedule FROM blockqueue_schedule WHERE topic_id = p_id ORDER BY name LIMIT 1;
  IF FOUND THEN
    DELETE FROM blockqueue_schedule_run WHERE schedule_id = v_schedule;
    DELETE FROM blockqueue_schedule WHERE id = v_schedule;
    RETURN;
  END IF;
  SELECT * INTO v_log FROM blockqueue_log WHERE topic_id = p_id ORDER BY id LIMIT 1;
  IF FOUND THEN
    IF v_log.kind = 0 THEN
      DELETE FROM blockqueue_message
       WHERE id IN (SELECT id FROM blockqueue_message
                     WHERE id >= bq_key(v_log.id, 0) AND id < bq_key(v_log.id + 1, 0) ORDER BY id LIMIT 1000);
    ELSE
      DELETE FROM blockqueue_delayed
       WHERE id IN (SELECT id FROM blockqueue_delayed
                     WHERE id >= bq_key(v_log.id, 0) AND id < bq_key(v_log.id + 1, 0) ORDER BY id LIMIT 1000);
    END IF;
    GET DIAGNOSTICS v_touched = ROW_COUNT;
    IF v_touched < 1000 THEN
      DELETE FROM blockqueue_failure
       WHERE message_id >= bq_key(v_log.id, 0) AND message_id < bq_key(v_log.id + 1, 0);
      DELETE FROM blockqueue_log WHERE id = v_log.id;
    END IF;
    RETURN;
  END IF;
  DELETE FROM blockqueue_idempotency
   WHERE topic_id = p_id
     AND key IN (SELECT key FROM blockqueue_idempotency WHERE topic_id = p_id LIMIT 1000);
  GET DIAGNOSTICS v_touched = ROW_COUNT;
  IF v_touched < 1000 THEN
    DELETE FROM blockqueue_topic WHERE id = p_id;
  END IF;
END $$;
