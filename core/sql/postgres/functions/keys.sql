-- Ordering keys: deliveries of one key that wait for one another.
--
-- Owns the transitions pending -> parked and parked -> retrying, which here means: ready, and first among
-- those of its key. Invariant: while a delivery is parked, another of its key is leased, waits for an
-- attempt, or is a dead letter that holds the key; whatever ends that one, or puts it back, calls bq_freed.

CREATE OR REPLACE FUNCTION bq_goes_by_keys(p_subscriber blockqueue_subscriber) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT p_subscriber.ordered OR p_subscriber.leased_per_key_max IS NOT NULL
$$;

-- Dead letters of the subscriber hold their key.
CREATE OR REPLACE FUNCTION bq_blocks(p_subscriber blockqueue_subscriber) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_subscriber.ordered AND p_subscriber.on_dead = 1 $$;

CREATE OR REPLACE FUNCTION bq_leases_per_key(p_subscriber blockqueue_subscriber) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_subscriber.ordered THEN 1 ELSE p_subscriber.leased_per_key_max END
$$;

-- Another delivery of the key is leased or waits for an attempt, or is parked if that counts.
CREATE OR REPLACE FUNCTION bq_key_is_busy(p_id bigint, p_key text, p_message bigint, p_or_parked boolean)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM blockqueue_delivery
     WHERE subscriber_id = p_id AND ordering_key = p_key
       AND state IN (1, 2, CASE WHEN p_or_parked THEN 3 ELSE 1 END) AND message_id <> p_message)
$$;

-- A dead letter of the key comes before the message.
CREATE OR REPLACE FUNCTION bq_key_is_blocked(p_id bigint, p_key text, p_message bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM blockqueue_delivery
     WHERE subscriber_id = p_id AND ordering_key = p_key AND state = 4 AND message_id < p_message)
$$;

-- Leases of a key, expired ones that nobody has taken over included.
CREATE OR REPLACE FUNCTION bq_key_held(p_id bigint, p_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT count(*) FROM blockqueue_delivery
   WHERE subscriber_id = p_id AND ordering_key = p_key AND state IN (1, 2) AND lease_id IS NOT NULL
$$;

-- The first parked delivery of a key.
CREATE OR REPLACE FUNCTION bq_key_next(p_id bigint, p_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT message_id FROM blockqueue_delivery
   WHERE subscriber_id = p_id AND ordering_key = p_key AND state = 3
   ORDER BY message_id LIMIT 1
$$;

-- Whether a message that nobody has claimed may be handed out.
CREATE OR REPLACE FUNCTION bq_has_room_for_new(p_subscriber blockqueue_subscriber, p_key text, p_message bigint)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_subscriber.ordered THEN
    RETURN NOT bq_key_is_busy(p_subscriber.id, p_key, p_message, true)
       AND NOT (bq_blocks(p_subscriber) AND bq_key_is_blocked(p_subscriber.id, p_key, p_message));
  END IF;
  RETURN bq_key_held(p_subscriber.id, p_key) < p_subscriber.leased_per_key_max;
END $$;

-- A delivery of this key has ended or was put back: the next one is ready, if it may be. The answer is
-- whether there was one.
CREATE OR REPLACE FUNCTION bq_freed(p_id bigint, p_key text, p_now bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_subscriber blockqueue_subscriber;
  v_next bigint;
BEGIN
  IF p_key IS NULL THEN
    RETURN false;
  END IF;
  SELECT * INTO v_subscriber FROM blockqueue_subscriber WHERE id = p_id;
  IF NOT bq_goes_by_keys(v_subscriber) OR v_subscriber.parked_count = 0
     OR (v_subscriber.ordered AND bq_key_is_busy(p_id, p_key, 0, false)) THEN
    RETURN false;
  END IF;
  v_next := bq_key_next(p_id, p_key);
  IF v_next IS NULL OR (bq_blocks(v_subscriber) AND bq_key_is_blocked(p_id, p_key, v_next)) THEN
    RETURN false;
  END IF;
  PERFORM bq_unpark(p_id, v_next, p_now);
  RETURN true;
END $$;

-- Ready since it was published: it has waited long enough.
CREATE OR REPLACE FUNCTION bq_unpark(p_id bigint, p_message bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_delivery
     SET state = 2,
         ready_at = least(p_now, coalesce(
           (SELECT published_at FROM blockqueue_message WHERE id = p_message), p_now))
   WHERE subscriber_id = p_id AND message_id = p_message;
  UPDATE blockqueue_subscriber
     SET parked_count = parked_count - 1, retrying_count = retrying_count + 1
   WHERE id = p_id;
  PERFORM bq_note_ready(p_id);
END $$;

-- Sets aside a delivery that has a row; the counter of the state that it was in is the caller's.
CREATE OR REPLACE FUNCTION bq_park_again(p_id bigint, p_message bigint, p_attempts int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_delivery
     SET state = 3, lease_id = NULL, ready_at = NULL, attempts = p_attempts,
         expires_at = (SELECT expires_at FROM blockqueue_message WHERE id = p_message)
   WHERE subscriber_id = p_id AND message_id = p_message;
  UPDATE blockqueue_subscriber SET parked_count = parked_count + 1 WHERE id = p_id;
END $$;

-- A dead letter comes alive again. In order: it waits for its turn if its key is busy, before what was
-- published after it. The answer is whether it waits.
CREATE OR REPLACE FUNCTION bq_revive(p_subscriber blockqueue_subscriber, p_message bigint, p_now bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_key text;
BEGIN
  SELECT ordering_key INTO v_key
    FROM blockqueue_delivery WHERE subscriber_id = p_subscriber.id AND message_id = p_message;
  IF NOT p_subscriber.ordered OR v_key IS NULL
     OR NOT (bq_key_is_busy(p_subscriber.id, v_key, p_message, false)
             OR (bq_blocks(p_subscriber) AND bq_key_is_blocked(p_subscriber.id, v_key, p_message))
             OR coalesce(bq_key_next(p_subscriber.id, v_key) < p_message, false)) THEN
    RETURN false;
  END IF;
  PERFORM bq_park_again(p_subscriber.id, p_message, 0);
  PERFORM bq_freed(p_subscriber.id, v_key, p_now);
  RETURN true;
END $$;

-- --- after a change of settings -------------------------------------------------------------------------

-- One bounded step of looking at what is parked again. The answer is whether there is more.
CREATE OR REPLACE FUNCTION bq_sift(p_id bigint, p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_subscriber blockqueue_subscriber;
  v_touched int := 0;
  v_key text;
BEGIN
  SELECT * INTO v_subscriber FROM blockqueue_subscriber WHERE id = p_id;
  IF v_subscriber.sifted_key IS NULL THEN
    RETURN false;
  END IF;
  IF NOT bq_goes_by_keys(v_subscriber) THEN
    RETURN bq_forget_keys(p_id, p_now);
  END IF;
  v_key := v_subscriber.sifted_key;
  WHILE v_touched < 1000 LOOP
    SELECT ordering_key INTO v_key
      FROM blockqueue_delivery
     WHERE subscriber_id = p_id AND ordering_key > v_key
     ORDER BY ordering_key LIMIT 1;
    IF NOT FOUND THEN
      UPDATE blockqueue_subscriber SET sifted_key = NULL WHERE id = p_id;
      RETURN false;
    END IF;
    FOR i IN 1 .. bq_leases_per_key(v_subscriber) - bq_key_held(p_id, v_key) LOOP
      EXIT WHEN NOT bq_freed(p_id, v_key, p_now);
      v_touched := v_touched + 1;
    END LOOP;
    v_touched := v_touched + 1;
  END LOOP;
  UPDATE blockqueue_subscriber SET sifted_key = v_key WHERE id = p_id;
  RETURN true;
END $$;

-- Nothing waits for its key any more.
CREATE OR REPLACE FUNCTION bq_forget_keys(p_id bigint, p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
  v_touched int := 0;
BEGIN
  FOR v_row IN
    SELECT message_id, state FROM blockqueue_delivery
     WHERE subscriber_id = p_id AND ordering_key > '' ORDER BY ordering_key LIMIT 1000
  LOOP
    IF v_row.state = 3 THEN
      PERFORM bq_unpark(p_id, v_row.message_id, p_now);
    END IF;
    UPDATE blockqueue_delivery SET ordering_key = NULL
     WHERE subscriber_id = p_id AND message_id = v_row.message_id;
    v_touched := v_touched + 1;
  END LOOP;
  IF v_touched < 1000 THEN
    UPDATE blockqueue_subscriber SET sifted_key = NULL WHERE id = p_id;
  END IF;
  RETURN v_touched = 1000;
END $$;
