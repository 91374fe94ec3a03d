-- ?1 subscriber, ?2 priority, ?3 now, ?4 how many are counted at most. Index blockqueue_delivery_retry.
SELECT count(*)
  FROM (SELECT 1
          FROM blockqueue_delivery
         WHERE subscriber_id = ?1 AND state = 2 AND priority = ?2 AND ready_at <= ?3
         LIMIT ?4);
