-- Deliveries of live subscribers whose message is gone. Only for an examination of the file.
SELECT count(*)
  FROM blockqueue_subscriber s
  JOIN blockqueue_delivery d ON d.subscriber_id = s.id
 WHERE s.deleted_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM blockqueue_message m WHERE m.id = d.message_id);
