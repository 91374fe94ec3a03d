-- ?1 key of a message. Only if it is gone.
DELETE FROM blockqueue_failure
 WHERE message_id = ?1
   AND NOT EXISTS (SELECT 1 FROM blockqueue_message m WHERE m.id = ?1);
