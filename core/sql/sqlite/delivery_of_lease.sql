-- ?1 first and ?2 last message of a run, ?3 subscriber, ?4 lease. Range of the primary key.
SELECT message_id, attempts, failures, ordering_key
  FROM blockqueue_delivery
 WHERE subscriber_id = ?3 AND message_id >= ?1 AND message_id <= ?2 AND lease_id = ?4 AND state = 1;
