-- ?1 message, ?2 accepted, ?3 subscriber, ?4 now, ?5 expiry, ?6 content type, ?7 payload. Replaces an earlier one.
INSERT OR REPLACE INTO blockqueue_result
  (message_id, accepted_at, subscriber_id, replied_at, expires_at, content_type, payload)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
