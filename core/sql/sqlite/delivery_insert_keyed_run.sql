-- ?1 key to be above, ?2 last key, ?3 subscriber, ?4 lease, ?5 priority. As delivery_insert_run.sql, for a
-- subscriber that goes by ordering keys.
INSERT INTO blockqueue_delivery (subscriber_id, message_id, state, lease_id, priority, attempts, failures,
                                 ordering_key)
SELECT ?3, id, 1, ?4, ?5, 1, 0, ordering_key
  FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
 ORDER BY id;
