-- Limits for consumers: how many leases at once, how many claims per interval.
--
-- The rate is a token bucket, kept as the time at which it is full again, in microseconds: a claim of n moves
-- that time by n shares of the interval, and may not move it further than one interval from now. A later time
-- was written before the clock was set back or the interval made shorter, and means nothing.

CREATE OR REPLACE FUNCTION bq_full_at_us(p_subscriber blockqueue_subscriber, p_now bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_subscriber.rate_full_at_us > (p_now + p_subscriber.rate_ms) * 1000 THEN p_now * 1000
    ELSE greatest(p_subscriber.rate_full_at_us, p_now * 1000)
  END
$$;

-- The part of the interval that so many deliveries take up, rounded up.
CREATE OR REPLACE FUNCTION bq_share_us(p_subscriber blockqueue_subscriber, p_count bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT ceil(p_count::numeric * p_subscriber.rate_ms * 1000 / p_subscriber.rate_count)::bigint
$$;

-- Deliveries that the rate allows for now; NULL: any number.
CREATE OR REPLACE FUNCTION bq_tokens(p_subscriber blockqueue_subscriber, p_now bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT floor((p_subscriber.rate_ms * 1000 - (bq_full_at_us(p_subscriber, p_now) - p_now * 1000))::numeric
               * p_subscriber.rate_count / (p_subscriber.rate_ms * 1000))::bigint
$$;

-- Leases beyond those that there are; NULL: any number.
CREATE OR REPLACE FUNCTION bq_slots(p_subscriber blockqueue_subscriber) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_subscriber.leased_max IS NOT NULL THEN
    greatest(p_subscriber.leased_max - p_subscriber.leased_count - p_subscriber.lapsed_count, 0) END
$$;

-- So many deliveries were handed out, or taken back if negative.
CREATE OR REPLACE FUNCTION bq_spend(p_id bigint, p_count bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blockqueue_subscriber s
     SET rate_full_at_us = bq_full_at_us(s, p_now) + bq_share_us(s, p_count)
   WHERE id = p_id AND rate_count IS NOT NULL;
END $$;

-- When the next delivery can be claimed, if that is known; now, if one could be at once. p_stuck: logs in
-- which nothing new is read until a key is free.
CREATE OR REPLACE FUNCTION bq_when_next(p_id bigint, p_now bigint, p_stuck bigint[] DEFAULT '{}')
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_subscriber blockqueue_subscriber;
  v_next bigint;
  v_token bigint;
BEGIN
  SELECT s.* INTO v_subscriber
    FROM blockqueue_subscriber s
    JOIN blockqueue_topic t ON t.id = s.topic_id
   WHERE s.id = p_id AND s.deleted_at IS NULL AND t.deleted_at IS NULL AND NOT s.paused AND NOT t.paused;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF bq_slots(v_subscriber) = 0 THEN
    -- The end of a lease says so itself; one that has expired can be taken over.
    v_next := CASE WHEN v_subscriber.lapsed_count > 0 THEN p_now END;
  ELSIF EXISTS (SELECT 1 FROM blockqueue_log l
                 WHERE l.topic_id = v_subscriber.topic_id AND l.kind = 0 AND NOT l.id = ANY (p_stuck)
                   AND bq_cursor(p_id, l.id) < l.last_seq) THEN
    v_next := p_now;
  ELSIF v_subscriber.retrying_count > 0 THEN
    SELECT min((SELECT d.ready_at FROM blockqueue_delivery d
                 WHERE d.subscriber_id = p_id AND d.state = 2 AND d.priority = l.priority
                 ORDER BY d.ready_at LIMIT 1))
      INTO v_next
      FROM (SELECT DISTINCT priority FROM blockqueue_log
             WHERE topic_id = v_subscriber.topic_id AND kind = 0) l;
  END IF;
  IF v_next IS NOT NULL AND bq_tokens(v_subscriber, p_now) <= 0 THEN
    v_token := ceil((v_subscriber.rate_full_at_us - v_subscriber.rate_ms * 1000
                     + bq_share_us(v_subscriber, 1))::numeric / 1000);
    v_next := greatest(v_next, v_token);
  END IF;
  RETURN v_next;
END $$;
