-- ?1 subscriber, ?2 how many. Of one that nobody sees any more. Range of the primary key.
DELETE FROM blockqueue_delivery
 WHERE subscriber_id = ?1
   AND message_id IN (SELECT message_id FROM blockqueue_delivery
                       WHERE subscriber_id = ?1 ORDER BY message_id LIMIT ?2);
