-- ?1 key to be above, ?2 last key. Passes over what a delivery holds. Primary keys of both.
DELETE FROM blockqueue_message
 WHERE id > ?1 AND id <= ?2
   AND NOT EXISTS (SELECT 1 FROM blockqueue_delivery d WHERE d.message_id = blockqueue_message.id);
