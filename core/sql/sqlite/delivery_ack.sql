-- ?1 message, ?2 subscriber, ?3 the lease that its claim made.
DELETE FROM blockqueue_delivery WHERE message_id = ?1 AND subscriber_id = ?2 AND lease_id = ?3 AND state = 1;
