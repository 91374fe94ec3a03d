-- ?1 subscriber, ?2 log, ?3 sequence number.
INSERT INTO blockqueue_cursor (subscriber_id, log_id, seq) VALUES (?1, ?2, ?3)
ON CONFLICT (subscriber_id, log_id) DO UPDATE SET seq = excluded.seq;
