-- ?1 message, ?2 subscriber, ?3 number, ?4 now, ?5 text. A repeat of the number corrects the text, if it has one.
INSERT INTO blockqueue_failure (message_id, subscriber_id, failure, failed_at, error)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (message_id, subscriber_id, failure)
DO UPDATE SET error = coalesce(excluded.error, error), failed_at = excluded.failed_at;
