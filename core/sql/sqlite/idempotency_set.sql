-- ?1 topic, ?2 key, ?3 message, ?4 accepted, ?5 due, ?6 fingerprint, ?7 expiry. Replaces one past its window.
INSERT OR REPLACE INTO blockqueue_idempotency
  (topic_id, key, message_id, accepted_at, due_at, fingerprint, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
