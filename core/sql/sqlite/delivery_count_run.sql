-- ?1 first and ?2 last message, ?3 subscriber, ?4 the lease that their claim made. Range of the primary key.
SELECT count(*)
  FROM blockqueue_delivery
 WHERE subscriber_id = ?3 AND message_id >= ?1 AND message_id <= ?2 AND lease_id = ?4 AND state = 1;
