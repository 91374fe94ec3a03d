-- ?1 key and ?2 time of an id: those of the row, or those that it was accepted under when it was delayed.
-- Primary key; index blockqueue_message_origin.
SELECT id FROM blockqueue_message WHERE id = ?1 AND published_at = ?2 AND origin IS NULL
UNION ALL
SELECT id FROM blockqueue_message WHERE origin = ?1 AND accepted_at = ?2
LIMIT 1;
