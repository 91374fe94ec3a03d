-- ?1 key to be above, ?2 last key, with nothing in between that a delivery holds.
DELETE FROM blockqueue_message WHERE id > ?1 AND id <= ?2;
