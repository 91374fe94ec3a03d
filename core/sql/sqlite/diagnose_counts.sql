-- ?1 subscriber. Every delivery of it: only for an examination of the file.
SELECT count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
       count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4),
       count(*) FILTER (WHERE state = 2 AND lease_id IS NOT NULL)
  FROM blockqueue_delivery
 WHERE subscriber_id = ?1;
