-- ?1 subscriber, ?2 message to be after, ?3 how many. Leased, retrying and parked ones. Range of the primary key.
SELECT message_id
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1 AND message_id > ?2 AND state IN (1, 2, 3)
 ORDER BY message_id
 LIMIT ?3;
