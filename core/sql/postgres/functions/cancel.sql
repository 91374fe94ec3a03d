-- Cancel without a receipt: end a message, or one of its deliveries, whatever its state.

-- Ends a message for every subscriber, by removing it. The answer says where it stood with each.
CREATE OR REPLACE FUNCTION bq_cancel_message(p_topic text, p_key bigint, p_at bigint, p_now bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_subscriber blockqueue_subscriber;
  v_delivery blockqueue_delivery;
  v_key bigint;
  v_delayed boolean;
  v_answer jsonb := '[]';
BEGIN
  SELECT * INTO v_key, v_delayed FROM bq_find_message(v_topic.id, p_key, p_at);
  IF v_key IS NULL THEN
    PERFORM bq_refuse('unknown_message');
  END IF;
  FOR v_subscriber IN
    SELECT * FROM blockqueue_subscriber WHERE topic_id = v_topic.id AND deleted_at IS NULL ORDER BY name
  LOOP
    v_delivery := NULL;
    IF NOT v_delayed THEN
      SELECT * INTO v_delivery
        FROM blockqueue_delivery WHERE subscriber_id = v_subscriber.id AND message_id = v_key;
    END IF;
    v_answer := v_answer || jsonb_build_object(
      'subscriber_id', v_subscriber.id, 'subscriber', v_subscriber.name,
      'state', CASE
        WHEN v_delivery.state IS NOT NULL THEN v_delivery.state
        WHEN v_delayed OR bq_cursor(v_subscriber.id, bq_log_of(v_key)) < bq_seq_of(v_key) THEN 0
        ELSE 5 END,
      'attempts', coalesce(v_delivery.attempts, 0), 'failures', coalesce(v_delivery.failures, 0),
      'ready_at', CASE v_delivery.state
        WHEN 1 THEN (SELECT expires_at FROM blockqueue_lease
                      WHERE subscriber_id = v_subscriber.id AND id = v_delivery.lease_id)
        ELSE v_delivery.ready_at END);
    IF v_delivery.state IS NOT NULL THEN
      PERFORM bq_end_any(v_delivery, p_now);
    END IF;
  END LOOP;
  IF v_delayed THEN
    UPDATE blockqueue_topic
       SET delayed_count = delayed_count - 1, delayed_cancelled_count = delayed_cancelled_count + 1,
           delayed_bytes = delayed_bytes - (SELECT size_bytes FROM blockqueue_delayed WHERE id = v_key)
     WHERE id = v_topic.id;
    DELETE FROM blockqueue_delayed WHERE id = v_key;
  ELSE
    PERFORM bq_remove_messages(ARRAY[v_key]);
    UPDATE blockqueue_log SET gap_count = gap_count + 1
     WHERE id = bq_log_of(v_key) AND trim_seq < bq_seq_of(v_key);
  END IF;
  RETURN v_answer;
END $$;

-- Ends a message for one subscriber.
CREATE OR REPLACE FUNCTION bq_cancel_delivery(
  p_topic text, p_name text, p_key bigint, p_at bigint, p_reason text, p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_topic blockqueue_topic := bq_topic(p_topic);
  v_subscriber blockqueue_subscriber := bq_find_subscriber(v_topic, p_name);
  v_delivery blockqueue_delivery;
  v_key bigint;
  v_delayed boolean;
  v_ahead boolean;
BEGIN
  SELECT * INTO v_key, v_delayed FROM bq_find_message(v_topic.id, p_key, p_at);
  IF v_key IS NULL THEN
    PERFORM bq_refuse('unknown_message');
  ELSIF v_delayed THEN
    PERFORM bq_refuse('invalid_argument', jsonb_build_object(
      'detail', 'a delayed message can only be cancelled for all subscribers'));
  END IF;
  SELECT * INTO v_delivery
    FROM blockqueue_delivery WHERE subscriber_id = v_subscriber.id AND message_id = v_key;
  v_ahead := bq_cursor(v_subscriber.id, bq_log_of(v_key)) < bq_seq_of(v_key);
  IF v_delivery.state = 5 OR (v_delivery.state IS NULL AND NOT v_ahead) THEN
    -- Settled already: there is nothing left to end.
    RETURN;
  END IF;
  IF v_delivery.state IS NOT NULL THEN
    IF NOT bq_take_delivery(v_subscriber.id, v_key) THEN
      PERFORM bq_refuse('changed');
    END IF;
    PERFORM bq_end_any(v_delivery, p_now);
  END IF;
  IF v_ahead THEN
    -- The cursor will get to it, and must pass over it.
    INSERT INTO blockqueue_delivery (subscriber_id, message_id, state, priority, attempts, failures)
    SELECT v_subscriber.id, v_key, 5, priority, 0, 0 FROM blockqueue_log WHERE id = bq_log_of(v_key);
  END IF;
  IF p_reason IS NOT NULL THEN
    PERFORM bq_record_failure(v_subscriber.id, v_key, coalesce(v_delivery.failures, 0) + 1, p_reason, p_now);
  END IF;
  UPDATE blockqueue_subscriber
     SET cancelled_count = cancelled_count + 1,
         ahead_count = ahead_count + (v_ahead AND v_delivery.state IS NULL)::int
   WHERE id = v_subscriber.id;
END $$;

-- Ends a delivery that has a row, with everything that counts it.
CREATE OR REPLACE FUNCTION bq_end_any(p_delivery blockqueue_delivery, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF p_delivery.lease_id IS NOT NULL THEN
    PERFORM bq_leave_lease(p_delivery.subscriber_id, p_delivery.lease_id, 1);
  END IF;
  UPDATE blockqueue_subscriber
     SET leased_count = leased_count - (p_delivery.state = 1)::int,
         retrying_count = retrying_count - (p_delivery.state = 2)::int,
         lapsed_count = lapsed_count - (p_delivery.state = 2 AND p_delivery.lease_id IS NOT NULL)::int,
         parked_count = parked_count - (p_delivery.state = 3)::int,
         dead_count = dead_count - (p_delivery.state = 4)::int,
         ahead_count = ahead_count - (p_delivery.state = 5)::int
   WHERE id = p_delivery.subscriber_id;
  PERFORM bq_delete(p_delivery.subscriber_id, p_delivery.message_id);
  PERFORM bq_note_slot(p_delivery.subscriber_id);
  PERFORM bq_freed(p_delivery.subscriber_id, p_delivery.ordering_key, p_now);
END $$;
