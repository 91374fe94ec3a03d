-- ?1 key. Only if no delivery holds it.
DELETE FROM blockqueue_message
 WHERE id = ?1
   AND NOT EXISTS (SELECT 1 FROM blockqueue_delivery d WHERE d.message_id = ?1);
