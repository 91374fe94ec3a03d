-- ?1 message, ?2 subscriber, ?3 number to be after, ?4 how many. Primary key.
SELECT failure, error, failed_at
  FROM blockqueue_failure
 WHERE message_id = ?1 AND subscriber_id = ?2 AND failure > ?3
 ORDER BY failure
 LIMIT ?4;
