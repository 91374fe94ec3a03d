-- ?1 subscriber, ?2 first key, ?3 last key. Leased, retrying and parked ones, which hold messages that were trimmed around them.
SELECT message_id
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND message_id >= ?2 AND message_id <= ?3 AND state IN (1, 2, 3);
