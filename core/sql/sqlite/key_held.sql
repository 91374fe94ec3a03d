-- ?1 subscriber, ?2 ordering key, ?3 how many are counted at most. Leases, also those that expired and
-- nobody has taken over. Index blockqueue_delivery_key.
SELECT count(*)
  FROM (SELECT 1
          FROM blockqueue_delivery
         WHERE subscriber_id = ?1 AND ordering_key = ?2 AND state IN (1, 2) AND lease_id IS NOT NULL
         LIMIT ?3);
