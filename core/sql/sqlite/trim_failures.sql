-- ?1 key to be above, ?2 last key, with nothing in between that a delivery holds.
DELETE FROM blockqueue_failure WHERE message_id > ?1 AND message_id <= ?2;
