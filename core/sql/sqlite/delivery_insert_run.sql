-- ?1 key to be above, ?2 last key, ?3 subscriber, ?4 lease, ?5 priority. What nobody has claimed before.
INSERT INTO blockqueue_delivery (subscriber_id, message_id, state, lease_id, priority, attempts, failures)
SELECT ?3, id, 1, ?4, ?5, 1, 0
  FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
 ORDER BY id;
