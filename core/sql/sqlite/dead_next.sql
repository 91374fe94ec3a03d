-- ?1 subscriber, ?2 and ?3 time and message to be after, ?4 how many. Oldest first.
-- Index blockqueue_delivery_dead.
SELECT ready_at, message_id, failures
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND state = 4 AND (ready_at, message_id) > (?2, ?3)
 ORDER BY ready_at, message_id
 LIMIT ?4;
