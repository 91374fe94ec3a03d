-- ?1 topic, ?2 key, ?3 now.
SELECT message_id, accepted_at, due_at, fingerprint
  FROM blockqueue_idempotency
 WHERE topic_id = ?1 AND key = ?2 AND expires_at > ?3;
