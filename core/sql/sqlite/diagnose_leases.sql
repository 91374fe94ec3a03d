-- Leases whose deliveries are not as many as they say. Only for an examination of the file.
SELECT l.subscriber_id, l.id, l.live_count, count(d.message_id)
  FROM blockqueue_lease l
  LEFT JOIN blockqueue_delivery d ON d.subscriber_id = l.subscriber_id AND d.lease_id = l.id
 WHERE EXISTS (SELECT 1 FROM blockqueue_subscriber s
                WHERE s.id = l.subscriber_id AND s.deleted_at IS NULL)
 GROUP BY l.subscriber_id, l.id
HAVING l.live_count <> count(d.message_id);
