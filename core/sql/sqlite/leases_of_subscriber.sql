-- ?1 subscriber. Primary key.
SELECT id, runs FROM blockqueue_lease WHERE subscriber_id = ?1 ORDER BY id;
