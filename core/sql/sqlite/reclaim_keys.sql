-- ?1 topic, ?2 how many.
DELETE FROM blockqueue_idempotency
 WHERE topic_id = ?1
   AND key IN (SELECT key FROM blockqueue_idempotency WHERE topic_id = ?1 LIMIT ?2);
