-- What time brings: the prologue of every group.
--
-- Carries out what the SQL contract holds, appends delayed messages that are due, ends leases that have expired
-- and deliveries whose message expired. Bounded per group. Each topic is seen to by whoever gets its turn
-- without waiting. The engine decides about schedules, which need more than SQL knows.

-- The answer is whether there is more than one group may touch.
CREATE OR REPLACE FUNCTION bq_bring(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_more boolean := false;
BEGIN
  IF EXISTS (SELECT 1 FROM blockqueue_settling) THEN
    PERFORM bq_sweep(p_now);
  END IF;
  IF EXISTS (SELECT 1 FROM blockqueue_delayed WHERE due_at <= p_now) THEN
    v_more := bq_promote(p_now) OR v_more;
  END IF;
  IF EXISTS (SELECT 1 FROM blockqueue_lease WHERE expires_at <= p_now) THEN
    v_more := bq_expire(p_now) OR v_more;
  END IF;
  IF EXISTS (SELECT 1 FROM blockqueue_delivery WHERE expires_at <= p_now) THEN
    v_more := bq_end_due(p_now) OR v_more;
  END IF;
  IF EXISTS (SELECT 1 FROM blockqueue_staged) THEN
    v_more := bq_promote_staged(p_now) OR v_more;
  END IF;
  RETURN bq_fire_queued(p_now) OR v_more;
END $$;

-- When something falls due next.
CREATE OR REPLACE FUNCTION bq_next_due(p_now bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM blockqueue_staged) OR EXISTS (SELECT 1 FROM blockqueue_settling) THEN
    RETURN p_now;
  END IF;
  RETURN least(
    -- The end of the message that an occurrence waits for may be all that happens.
    (SELECT min((SELECT m.expires_at FROM blockqueue_message m WHERE m.id = s.message_id AND m.expires_at > p_now))
       FROM blockqueue_schedule s
      WHERE s.queued_at IS NOT NULL AND NOT s.paused),
    (SELECT due_at FROM blockqueue_delayed ORDER BY due_at LIMIT 1),
    (SELECT expires_at FROM blockqueue_lease WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1),
    (SELECT expires_at FROM blockqueue_delivery WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1),
    (SELECT due_at FROM blockqueue_schedule WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1));
END $$;

-- Appends delayed messages that are due to their logs, in the order in which they fell due.
CREATE OR REPLACE FUNCTION bq_promote(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_message record;
  v_log blockqueue_log;
  v_touched int := 0;
  v_bytes bigint := 0;
BEGIN
  FOR v_message IN
    SELECT d.id, d.topic_id, d.priority, d.due_at, d.size_bytes, d.expires_at, t.deleted_at
      FROM blockqueue_delayed d
      LEFT JOIN blockqueue_topic t ON t.id = d.topic_id
     WHERE d.due_at <= p_now
     ORDER BY d.due_at, d.id
     LIMIT 1000
  LOOP
    EXIT WHEN v_bytes > 16777216;
    CONTINUE WHEN NOT bq_try_turn(v_message.topic_id);
    v_touched := v_touched + 1;
    -- Whoever had the turn before may have come first.
    PERFORM 1 FROM blockqueue_delayed WHERE id = v_message.id;
    CONTINUE WHEN NOT FOUND;
    IF EXISTS (SELECT 1 FROM blockqueue_topic WHERE id = v_message.topic_id AND deleted_at IS NULL) THEN
      v_bytes := v_bytes + v_message.size_bytes;
      v_log := bq_log_for(v_message.topic_id, 0, v_message.priority, 1);
      INSERT INTO blockqueue_message (id, published_at, position, origin, accepted_at, content_type, headers,
                                      correlation_id, idempotency_key, ordering_key, expires_at, payload)
      SELECT bq_key(v_log.id, v_log.last_seq + 1), greatest(v_log.published_at, due_at), v_log.position, id,
             accepted_at, content_type, headers, correlation_id, idempotency_key, ordering_key, expires_at,
             payload
        FROM blockqueue_delayed WHERE id = v_message.id;
      UPDATE blockqueue_log
         SET last_seq = last_seq + 1, position = position + v_message.size_bytes,
             published_at = greatest(published_at, v_message.due_at),
             expiring = expiring OR v_message.expires_at IS NOT NULL
       WHERE id = v_log.id;
      UPDATE blockqueue_topic
         SET delayed_count = delayed_count - 1, delayed_bytes = delayed_bytes - v_message.size_bytes
       WHERE id = v_message.topic_id;
      PERFORM bq_note_appended(v_message.topic_id, 1);
    END IF;
    DELETE FROM blockqueue_delayed WHERE id = v_message.id;
  END LOOP;
  RETURN v_touched >= 1000 OR v_bytes > 16777216;
END $$;

-- Ends leases that have expired, of any subscriber, oldest first.
CREATE OR REPLACE FUNCTION bq_expire(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_lease record;
  v_touched bigint := 0;
BEGIN
  FOR v_lease IN
    SELECT l.subscriber_id, l.id, s.topic_id
      FROM blockqueue_lease l
      LEFT JOIN blockqueue_subscriber s ON s.id = l.subscriber_id
     WHERE l.expires_at <= p_now
     ORDER BY l.expires_at LIMIT 1000
  LOOP
    IF v_touched >= 1000 THEN
      RETURN true;
    END IF;
    CONTINUE WHEN NOT bq_try_turn(v_lease.topic_id);
    v_touched := v_touched + bq_expire_lease(v_lease.subscriber_id, v_lease.id, p_now);
  END LOOP;
  RETURN false;
END $$;

-- The answer is how many rows that touched.
CREATE OR REPLACE FUNCTION bq_expire_lease(p_id bigint, p_lease bigint, p_now bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_lease blockqueue_lease;
  v_subscriber blockqueue_subscriber;
  v_delivery blockqueue_delivery;
  v_count bigint := 0;
  v_dead bigint := 0;
BEGIN
  SELECT * INTO v_lease
    FROM blockqueue_lease WHERE subscriber_id = p_id AND id = p_lease AND expires_at <= p_now;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  SELECT s.* INTO v_subscriber
    FROM blockqueue_subscriber s JOIN blockqueue_topic t ON t.id = s.topic_id
   WHERE s.id = p_id AND s.deleted_at IS NULL AND t.deleted_at IS NULL;
  IF NOT FOUND THEN
    -- Deleted: its deliveries are being reclaimed.
    UPDATE blockqueue_lease SET expires_at = NULL WHERE subscriber_id = p_id AND id = p_lease;
    RETURN 1;
  END IF;
  FOR v_delivery IN
    SELECT d.*
      FROM bq_each_run(v_lease.runs) r
     CROSS JOIN LATERAL (
       SELECT * FROM blockqueue_delivery
        WHERE subscriber_id = p_id AND message_id BETWEEN r.first AND r.last AND lease_id = p_lease AND state = 1
          -- An application that is settling one in a transaction of its own has it locked.
          FOR UPDATE SKIP LOCKED) d
     ORDER BY d.message_id
  LOOP
    v_count := v_count + 1;
    PERFORM bq_record_failure(p_id, v_delivery.message_id, v_delivery.failures + 1, 'lease expired', p_now);
    IF v_delivery.attempts >= v_subscriber.max_attempts THEN
      v_dead := v_dead + 1;
      PERFORM bq_bury(p_id, v_delivery.message_id, v_delivery.failures + 1, p_now);
      PERFORM bq_leave_lease(p_id, p_lease, 1);
      PERFORM bq_note_ended();
      PERFORM bq_freed(p_id, v_delivery.ordering_key, p_now);
    ELSE
      PERFORM bq_retry(p_id, v_delivery.message_id, p_lease, v_lease.expires_at, v_delivery.attempts,
                       v_delivery.failures + 1);
    END IF;
  END LOOP;
  UPDATE blockqueue_subscriber
     SET leased_count = leased_count - v_count, retrying_count = retrying_count + v_count - v_dead,
         lapsed_count = lapsed_count + v_count - v_dead, dead_count = dead_count + v_dead,
         expired_count = expired_count + v_count
   WHERE id = p_id;
  -- What was left out is looked at again.
  UPDATE blockqueue_lease
     SET expires_at = CASE WHEN EXISTS (
           SELECT 1
             FROM bq_each_run(v_lease.runs) r
            CROSS JOIN LATERAL (
              SELECT 1 FROM blockqueue_delivery
               WHERE subscriber_id = p_id AND message_id BETWEEN r.first AND r.last
                 AND lease_id = p_lease AND state = 1 LIMIT 1) d)
           THEN p_now + 1000 END
   WHERE subscriber_id = p_id AND id = p_lease;
  PERFORM bq_note_ready(p_id);
  RETURN v_count + 1;
END $$;

-- Ends retrying and parked deliveries whose message has expired, of any subscriber.
CREATE OR REPLACE FUNCTION bq_end_due(p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
  v_delivery blockqueue_delivery;
  v_subscriber blockqueue_subscriber;
  v_parked int;
  v_lapsed int;
  v_dead int;
  v_ids bigint[] := '{}';
  v_keys text[] := '{}';
  v_touched int := 0;
BEGIN
  FOR v_row IN
    SELECT d.subscriber_id, d.message_id, s.topic_id
      FROM blockqueue_delivery d
      LEFT JOIN blockqueue_subscriber s ON s.id = d.subscriber_id
     WHERE d.expires_at <= p_now
     ORDER BY d.expires_at LIMIT 1000
  LOOP
    CONTINUE WHEN NOT bq_try_turn(v_row.topic_id);
    v_touched := v_touched + 1;
    SELECT * INTO v_delivery
      FROM blockqueue_delivery
     WHERE subscriber_id = v_row.subscriber_id AND message_id = v_row.message_id AND expires_at <= p_now
       FOR UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    SELECT s.* INTO v_subscriber
      FROM blockqueue_subscriber s JOIN blockqueue_topic t ON t.id = s.topic_id
     WHERE s.id = v_row.subscriber_id AND s.deleted_at IS NULL AND t.deleted_at IS NULL;
    IF NOT FOUND THEN
      -- It is being reclaimed.
      UPDATE blockqueue_delivery SET expires_at = NULL
       WHERE subscriber_id = v_row.subscriber_id AND message_id = v_row.message_id;
      CONTINUE;
    END IF;
    v_parked := (v_delivery.state = 3)::int;
    v_lapsed := (v_delivery.lease_id IS NOT NULL)::int;
    v_dead := (v_subscriber.on_expiry = 1)::int;
    UPDATE blockqueue_subscriber
       SET ttl_expired_count = ttl_expired_count + 1, parked_count = parked_count - v_parked,
           retrying_count = retrying_count - 1 + v_parked, lapsed_count = lapsed_count - v_lapsed,
           dead_count = dead_count + v_dead
     WHERE id = v_row.subscriber_id;
    IF v_lapsed = 1 THEN
      PERFORM bq_leave_lease(v_row.subscriber_id, v_delivery.lease_id, 1);
      PERFORM bq_note_slot(v_row.subscriber_id);
    END IF;
    IF v_dead = 1 THEN
      PERFORM bq_record_failure(v_row.subscriber_id, v_row.message_id, v_delivery.failures + 1, 'expired', p_now);
      PERFORM bq_bury(v_row.subscriber_id, v_row.message_id, v_delivery.failures + 1, p_now);
    ELSE
      PERFORM bq_delete(v_row.subscriber_id, v_row.message_id);
    END IF;
    PERFORM bq_note_ended();
    IF v_parked = 0 AND v_delivery.ordering_key IS NOT NULL THEN
      v_ids := v_ids || v_row.subscriber_id;
      v_keys := v_keys || v_delivery.ordering_key;
    END IF;
  END LOOP;
  -- Not before all have ended: the next of a key may be one of them.
  PERFORM bq_freed(id, key, p_now) FROM unnest(v_ids, v_keys) AS ended(id, key);
  RETURN v_touched = 1000;
END $$;
