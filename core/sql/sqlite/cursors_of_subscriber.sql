-- ?1 subscriber. Primary key.
SELECT log_id, seq FROM blockqueue_cursor WHERE subscriber_id = ?1;
