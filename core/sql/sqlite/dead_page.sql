-- ?1 subscriber, ?2 and ?3 time and message to be after, ?4 how many. Oldest first.
-- Index blockqueue_delivery_dead; the primary key of failures.
SELECT d.message_id, d.attempts, d.failures, d.ready_at,
       (SELECT f.error FROM blockqueue_failure f
         WHERE f.message_id = d.message_id AND f.subscriber_id = d.subscriber_id
         ORDER BY f.failure DESC LIMIT 1)
  FROM blockqueue_delivery d
 WHERE d.subscriber_id = ?1 AND d.state = 4 AND (d.ready_at, d.message_id) > (?2, ?3)
 ORDER BY d.ready_at, d.message_id
 LIMIT ?4;
