-- ?1 subscriber, ?2 key to be above, ?3 last key. Range of the primary key.
SELECT count(*)
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND message_id > ?2 AND message_id <= ?3;
