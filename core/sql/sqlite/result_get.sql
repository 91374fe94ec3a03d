-- ?1 message, ?2 accepted, ?3 subscriber, ?4 now. Index blockqueue_result_message.
SELECT payload, content_type, replied_at, expires_at
  FROM blockqueue_result
 WHERE message_id = ?1 AND subscriber_id = ?3 AND accepted_at = ?2 AND expires_at > ?4;
