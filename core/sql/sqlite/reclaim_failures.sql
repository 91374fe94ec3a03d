-- ?1 log that has no messages any more.
DELETE FROM blockqueue_failure WHERE message_id >= ?1 << 40 AND message_id < (?1 + 1) << 40;
