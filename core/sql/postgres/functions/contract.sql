-- The SQL contract: the triggers of its views, and the queue's side of it.
--
-- The triggers run in the application's transaction, with the rights of the queue's owner and on the queue's
-- tables whatever the search path of the application is. Each message begins with a code of the table in error.rs;
-- the limits are those of limits.rs. Invariant: no row in these tables, whatever is in it, fails a group.

CREATE OR REPLACE FUNCTION bq_abort(p_text text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'BQ001', MESSAGE = p_text;
END $$;

CREATE OR REPLACE FUNCTION bq_stage() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan FROM CURRENT
SET enable_bitmapscan FROM CURRENT SET enable_hashjoin FROM CURRENT SET enable_mergejoin FROM CURRENT
SET jit FROM CURRENT AS $$
DECLARE
  v_topic blockqueue_topic;
  v_text text;
  v_count bigint;
  v_bytes bigint;
BEGIN
  SELECT * INTO v_topic FROM blockqueue_topic WHERE name = new.topic AND deleted_at IS NULL;
  v_text := CASE
    WHEN NOT FOUND THEN 'unknown_topic: there is no topic of this name'
    WHEN new.payload IS NULL THEN 'invalid_argument: payload must be bytes'
    WHEN octet_length(new.payload) > coalesce(
           (SELECT value::bigint FROM blockqueue_meta WHERE name = 'payload_bytes_max'), 1048576)
      THEN 'limit_exceeded: payload is larger than this queue allows'
    WHEN new.priority NOT BETWEEN -1000 AND 1000
      THEN 'invalid_argument: priority must be an integer from -1000 to 1000'
    WHEN new.delay_ms IS NOT NULL AND new.deliver_at IS NOT NULL
      THEN 'invalid_argument: delay_ms and deliver_at exclude each other'
    WHEN new.delay_ms NOT BETWEEN 0 AND 31622400000
      THEN 'invalid_argument: delay_ms must be an integer from 0 to 31622400000'
    WHEN new.deliver_at NOT BETWEEN 0 AND 253402300799999
      THEN 'invalid_argument: deliver_at must be in milliseconds since 1970'
    WHEN new.idempotency_key = '' THEN 'invalid_argument: idempotency_key must not be empty'
    WHEN octet_length(new.idempotency_key) > 255
      THEN 'limit_exceeded: idempotency_key is longer than 255 bytes'
    WHEN new.ordering_key = '' THEN 'invalid_argument: ordering_key must not be empty'
    WHEN octet_length(new.ordering_key) > 255 THEN 'limit_exceeded: ordering_key is longer than 255 bytes'
    WHEN new.ttl_ms NOT BETWEEN 1 AND 316224000000
      THEN 'invalid_argument: ttl_ms must be an integer from 1 to 316224000000'
    WHEN new.unique_key = '' THEN 'invalid_argument: unique_key must not be empty'
    WHEN octet_length(new.unique_key) > 255 THEN 'limit_exceeded: unique_key is longer than 255 bytes'
    WHEN jsonb_typeof(new.headers) <> 'object' OR new.headers ? ''
         OR jsonb_path_exists(new.headers, '$.* ? (@.type() <> "string")')
      THEN 'invalid_argument: headers must be a JSON object of strings'
    WHEN bq_size_of('', new.headers, new.content_type, new.correlation_id) > 16384
      THEN 'limit_exceeded: headers, content_type and correlation_id are over 16384 bytes'
    -- Better refused here, where somebody is told, than rejected later.
    WHEN EXISTS (SELECT 1 FROM blockqueue_idempotency k
                  WHERE k.topic_id = v_topic.id AND k.key = new.idempotency_key
                    AND k.expires_at > extract(epoch FROM clock_timestamp()) * 1000
                    AND k.fingerprint <> bq_fingerprint(new.payload, coalesce(new.priority, 0), new.content_type,
                          new.ordering_key, new.headers, new.delay_ms, new.deliver_at))
         OR EXISTS (SELECT 1 FROM blockqueue_staged s
                     WHERE s.topic_id = v_topic.id AND s.idempotency_key = new.idempotency_key
                       AND s.payload <> new.payload)
      THEN 'idempotency_conflict: the key was used for a different message'
    -- Whether a message in a log is settled is said when this one is taken over: its settlement may be a part of
    -- this transaction. The same message again, by its idempotency key, publishes nothing.
    WHEN EXISTS (SELECT 1 FROM blockqueue_staged s
                  WHERE s.topic_id = v_topic.id AND s.unique_key = new.unique_key
                    AND (new.idempotency_key IS NULL OR s.idempotency_key IS DISTINCT FROM new.idempotency_key))
         OR EXISTS (SELECT 1 FROM blockqueue_unique u JOIN blockqueue_delayed d ON d.id = u.message_id
                     WHERE u.topic_id = v_topic.id AND u.key = new.unique_key
                       AND (new.idempotency_key IS NULL OR d.idempotency_key IS DISTINCT FROM new.idempotency_key))
      THEN 'unique_conflict: an earlier message of the unique key is not settled'
  END;
  IF v_text IS NULL AND v_topic.backlog_policy = 0
     AND coalesce(v_topic.backlog_count, v_topic.backlog_bytes) IS NOT NULL
     AND EXISTS (SELECT 1 FROM blockqueue_subscriber WHERE topic_id = v_topic.id AND deleted_at IS NULL) THEN
    SELECT coalesce(sum(b.count), 0) + v_topic.delayed_count + 1,
           coalesce(sum(b.bytes), 0) + v_topic.delayed_bytes + octet_length(new.payload)
      INTO v_count, v_bytes FROM bq_backlog(v_topic.id) b;
    IF bq_beyond(v_topic, v_count, v_bytes, NULL, 0) IS NOT NULL THEN
      v_text := 'backlog_full: the topic holds as much as its limit allows';
    END IF;
  END IF;
  IF v_text IS NOT NULL THEN
    PERFORM bq_abort(v_text);
  END IF;
  INSERT INTO blockqueue_staged (topic_id, priority, delay_ms, deliver_at, content_type, headers, correlation_id,
                                 idempotency_key, ordering_key, ttl_ms, unique_key, payload)
  VALUES (v_topic.id, coalesce(new.priority, 0), new.delay_ms, new.deliver_at, new.content_type,
          nullif(new.headers, '{}'), new.correlation_id, new.idempotency_key, new.ordering_key, new.ttl_ms,
          new.unique_key, new.payload);
  PERFORM bq_announce();
  RETURN new;
END $$;

CREATE OR REPLACE FUNCTION bq_stage_ack() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan FROM CURRENT
SET enable_bitmapscan FROM CURRENT SET enable_hashjoin FROM CURRENT SET enable_mergejoin FROM CURRENT
SET jit FROM CURRENT AS $$
DECLARE
  v_text text := CASE
    WHEN new.reply IS NULL AND (new.reply_content_type IS NOT NULL OR new.reply_ttl_ms IS NOT NULL)
      THEN 'invalid_argument: reply_content_type and reply_ttl_ms belong to a reply'
    WHEN octet_length(new.reply) > 1048576 THEN 'limit_exceeded: reply is larger than 1048576 bytes'
    WHEN octet_length(new.reply_content_type) > 255
      THEN 'limit_exceeded: reply_content_type is longer than 255 bytes'
    WHEN new.reply_ttl_ms NOT BETWEEN 1 AND 2678400000
      THEN 'invalid_argument: reply_ttl_ms must be an integer from 1 to 2678400000'
  END;
  v_mark blockqueue_settling;
BEGIN
  IF v_text IS NOT NULL THEN
    PERFORM bq_abort(v_text);
  END IF;
  v_mark.receipt := new.receipt;
  v_mark.verb := 0;
  v_mark.give_up := 0;
  v_mark.reply := new.reply;
  v_mark.reply_content_type := new.reply_content_type;
  v_mark.reply_ttl_ms := new.reply_ttl_ms;
  PERFORM bq_mark(v_mark);
  RETURN new;
END $$;

CREATE OR REPLACE FUNCTION bq_stage_nack() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan FROM CURRENT
SET enable_bitmapscan FROM CURRENT SET enable_hashjoin FROM CURRENT SET enable_mergejoin FROM CURRENT
SET jit FROM CURRENT AS $$
DECLARE
  v_mark blockqueue_settling;
BEGIN
  IF new.delay_ms NOT BETWEEN 0 AND 31622400000 THEN
    PERFORM bq_abort('invalid_argument: delay_ms must be an integer from 0 to 31622400000');
  END IF;
  IF new.give_up NOT IN (0, 1) THEN
    PERFORM bq_abort('invalid_argument: give_up must be 0 or 1');
  END IF;
  v_mark.receipt := new.receipt;
  v_mark.verb := 1;
  v_mark.delay_ms := new.delay_ms;
  v_mark.error := left(new.error, 4096);
  v_mark.give_up := coalesce(new.give_up, 0);
  PERFORM bq_mark(v_mark);
  RETURN new;
END $$;

-- A receipt is 32 hexadecimal digits of the message's id, 32 of the lease's token, and four numbers, each after a
-- hyphen: log, sequence, subscriber, lease. A delivery is settled once; the same settlement again is answered like
-- the first time.
CREATE OR REPLACE FUNCTION bq_mark(p_mark blockqueue_settling) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_parts text[] := regexp_match(
    p_mark.receipt,
    '^[0-9a-f]{32}([0-9a-f]{32})-(0|[1-9][0-9]{0,6})-(0|[1-9][0-9]{0,12})-(0|[1-9][0-9]{0,9})-(0|[1-9][0-9]{0,17})$');
  v_key bigint := bq_key(v_parts[2]::bigint, v_parts[3]::bigint);
BEGIN
  IF v_parts IS NULL OR v_parts[2]::bigint > 8388607 OR v_parts[3]::bigint > 1099511627775 THEN
    PERFORM bq_abort('invalid_receipt: this is not a receipt');
  END IF;
  IF EXISTS (SELECT 1 FROM blockqueue_settling WHERE receipt = p_mark.receipt AND verb = p_mark.verb) THEN
    RETURN;
  END IF;
  -- Locked until this transaction ends: claims pass over it, and lost it cannot be.
  PERFORM 1
     FROM blockqueue_delivery d
     JOIN blockqueue_lease l ON l.subscriber_id = d.subscriber_id AND l.id = d.lease_id
     JOIN blockqueue_subscriber s ON s.id = d.subscriber_id
     JOIN blockqueue_topic t ON t.id = s.topic_id
    WHERE d.subscriber_id = v_parts[4]::bigint AND d.message_id = v_key
      AND l.token = decode(v_parts[1], 'hex') AND s.deleted_at IS NULL AND t.deleted_at IS NULL
      FOR UPDATE OF d;
  IF NOT FOUND OR bq_is_settling(v_parts[4]::bigint, v_key) THEN
    PERFORM bq_abort('lease_lost: the delivery is settled or belongs to somebody else now');
  END IF;
  p_mark.subscriber_id := v_parts[4]::bigint;
  p_mark.message_id := v_key;
  INSERT INTO blockqueue_settling SELECT p_mark.*;
  PERFORM bq_announce();
END $$;

CREATE OR REPLACE FUNCTION bq_is_settling(p_id bigint, p_message bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM blockqueue_settling WHERE subscriber_id = p_id AND message_id = p_message);
END $$;

-- Tells the engines that something was committed that they may wait for.
CREATE OR REPLACE FUNCTION bq_announce() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('blockqueue_' || current_schema(), '');
END $$;

CREATE OR REPLACE TRIGGER blockqueue_publish_insert INSTEAD OF INSERT ON blockqueue_publish
FOR EACH ROW EXECUTE FUNCTION bq_stage();

CREATE OR REPLACE TRIGGER blockqueue_ack_insert INSTEAD OF INSERT ON blockqueue_ack
FOR EACH ROW EXECUTE FUNCTION bq_stage_ack();

CREATE OR REPLACE TRIGGER blockqueue_nack_insert INSTEAD OF INSERT ON blockqueue_nack
FOR EACH ROW EXECUTE FUNCTION bq_stage_nack();

-- --- the queue's side -----------------------------------------------------------------------------------

-- Carries out what was acked and nacked. It was checked when it was written, and counts although its lease may have
-- expired since.
CREATE OR REPLACE FUNCTION bq_sweep(p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_mark blockqueue_settling;
  v_topic bigint;
BEGIN
  FOR v_mark IN SELECT * FROM blockqueue_settling ORDER BY receipt LIMIT 10000 LOOP
    SELECT topic_id INTO v_topic FROM blockqueue_subscriber WHERE id = v_mark.subscriber_id;
    -- Another application that wants to settle the same has it until it hears that it comes too late.
    CONTINUE WHEN NOT bq_try_turn(v_topic) OR NOT bq_take_delivery(v_mark.subscriber_id, v_mark.message_id);
    DELETE FROM blockqueue_settling WHERE receipt = v_mark.receipt;
    CONTINUE WHEN NOT FOUND;
    -- Whose subscriber was deleted meanwhile has lost its lease; nobody is left to tell.
    PERFORM bq_settle_one(bq_marked(v_mark), ARRAY[v_mark.reply], p_now);
    PERFORM bq_note_ended();
  END LOOP;
END $$;

-- What a mark asks for, as a group would. A reply is stored under what the id in the receipt is made of: 48 bits of
-- time, a version, 12 bits of the key, a variant, 51 bits of the key, 11 bits of a tag.
CREATE OR REPLACE FUNCTION bq_marked(p_mark blockqueue_settling) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object(
    'key', p_mark.message_id, 'subscriber', p_mark.subscriber_id, 'token', substr(p_mark.receipt, 33, 32),
    'verb', CASE WHEN p_mark.verb = 1 THEN 'nack' WHEN p_mark.reply IS NULL THEN 'ack' ELSE 'reply' END,
    'delay_ms', p_mark.delay_ms, 'error', p_mark.error, 'give_up', p_mark.give_up = 1,
    'accepted_at', bq_hex(substr(p_mark.receipt, 1, 12)),
    'accepted_key', (bq_hex(substr(p_mark.receipt, 14, 3)) << 51)
                  | ((bq_hex(substr(p_mark.receipt, 17, 16)) >> 11) & 2251799813685247),
    'ttl_ms', coalesce(p_mark.reply_ttl_ms, 3600000), 'content_type', p_mark.reply_content_type, 'body', 1)
$$;

CREATE OR REPLACE FUNCTION bq_hex(p_digits text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT ('x' || lpad(p_digits, 16, '0'))::bit(64)::bigint
$$;

-- Moves staged messages into their topics; the answer is whether there are more.
CREATE OR REPLACE FUNCTION bq_promote_staged(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_staged blockqueue_staged;
  v_topic blockqueue_topic;
  v_detail text;
  v_answer jsonb;
  v_touched int := 0;
  v_bytes bigint := 0;
BEGIN
  FOR v_staged IN SELECT * FROM blockqueue_staged ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED LOOP
    EXIT WHEN v_bytes >= 16777216;
    CONTINUE WHEN NOT bq_try_turn(v_staged.topic_id);
    v_touched := v_touched + 1;
    v_bytes := v_bytes + octet_length(v_staged.payload);
    DELETE FROM blockqueue_staged WHERE id = v_staged.id;
    SELECT * INTO v_topic FROM blockqueue_topic WHERE id = v_staged.topic_id AND deleted_at IS NULL;
    -- What was staged for a topic that was deleted went with it.
    CONTINUE WHEN NOT FOUND;
    BEGIN
      v_topic.backlog_policy := 1;
      v_answer := bq_publish_each(v_topic, jsonb_build_array(bq_staged_message(v_staged)),
                                  ARRAY[v_staged.payload], p_now);
      PERFORM bq_enforce_backlog(v_topic.id, p_now);
      IF v_answer -> 0 -> 2 = 'null' AND NOT (v_answer -> 0 ->> 3)::boolean THEN
        PERFORM bq_note_appended(v_topic.id, 1);
      END IF;
    EXCEPTION WHEN SQLSTATE 'BQ000' THEN
      -- Its transaction is committed and nobody waits for an answer: it is kept for people to see.
      GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
      INSERT INTO blockqueue_rejected (topic, rejected_at, code, detail, priority, delay_ms, deliver_at, content_type,
                                       headers, correlation_id, idempotency_key, ordering_key, ttl_ms, unique_key,
                                       payload)
      VALUES (v_topic.name, p_now, v_detail::jsonb ->> 'code', v_detail, v_staged.priority, v_staged.delay_ms,
              v_staged.deliver_at, v_staged.content_type, v_staged.headers, v_staged.correlation_id,
              v_staged.idempotency_key, v_staged.ordering_key, v_staged.ttl_ms, v_staged.unique_key,
              v_staged.payload);
      DELETE FROM blockqueue_rejected
       WHERE id <= (SELECT id FROM blockqueue_rejected ORDER BY id DESC OFFSET 1000 LIMIT 1);
    END;
  END LOOP;
  RETURN v_touched = 1000 OR v_bytes >= 16777216;
END $$;

CREATE OR REPLACE FUNCTION bq_staged_message(p_staged blockqueue_staged) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'size', bq_size_of(p_staged.payload, p_staged.headers, p_staged.content_type, p_staged.correlation_id),
    'priority', p_staged.priority, 'delay_ms', p_staged.delay_ms, 'deliver_at', p_staged.deliver_at,
    'content_type', p_staged.content_type, 'headers', p_staged.headers,
    'correlation_id', p_staged.correlation_id, 'idempotency_key', p_staged.idempotency_key,
    'ordering_key', p_staged.ordering_key, 'ttl_ms', p_staged.ttl_ms, 'unique_key', p_staged.unique_key,
    'fingerprint', encode(bq_fingerprint(p_staged.payload, p_staged.priority, p_staged.content_type,
      p_staged.ordering_key, p_staged.headers, p_staged.delay_ms, p_staged.deliver_at), 'hex')))
$$;

-- The digest of store/fingerprint.rs.
CREATE OR REPLACE FUNCTION bq_fingerprint(
  p_payload bytea, p_priority int, p_type text, p_ordering_key text, p_headers jsonb, p_delay_ms bigint,
  p_deliver_at bigint)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT substr(sha256(
    bq_field('p', p_payload) || bq_field('r', int2send(p_priority::smallint))
    || coalesce(bq_field('c', convert_to(p_type, 'UTF8')), '')
    || coalesce(bq_field('k', convert_to(p_ordering_key, 'UTF8')), '')
    || coalesce((SELECT string_agg(bq_field('n', convert_to(key, 'UTF8')) || bq_field('v', convert_to(value, 'UTF8')),
                                   '' ORDER BY key COLLATE "C")
                   FROM jsonb_each_text(p_headers)), '')
    || coalesce(bq_field('d', int8send(p_delay_ms)), '') || coalesce(bq_field('t', int8send(p_deliver_at)), '')),
    1, 16)
$$;

CREATE OR REPLACE FUNCTION bq_field(p_tag text, p_bytes bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT convert_to(p_tag, 'UTF8') || int8send(octet_length(p_bytes)::bigint) || p_bytes
$$;
