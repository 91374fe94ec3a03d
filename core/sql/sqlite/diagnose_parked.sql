-- ?1 subscriber, ?2 whether dead letters hold their key. Parked deliveries that nothing of their key will set
-- free. Only for an examination of the file. Index blockqueue_delivery_key.
SELECT count(*)
  FROM blockqueue_delivery p
 WHERE p.subscriber_id = ?1 AND p.state = 3
   AND NOT EXISTS (SELECT 1 FROM blockqueue_delivery d
                    WHERE d.subscriber_id = ?1 AND d.ordering_key = p.ordering_key
                      AND (d.state IN (1, 2) OR (?2 AND d.state = 4 AND d.message_id < p.message_id)));
