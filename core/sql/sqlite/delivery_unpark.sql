-- ?1 message, ?2 subscriber, ?3 now. Ready since it was published: it has waited long enough.
UPDATE blockqueue_delivery
   SET state = 2,
       ready_at = min(?3, coalesce((SELECT published_at FROM blockqueue_message WHERE id = ?1), ?3))
 WHERE message_id = ?1 AND subscriber_id = ?2;
