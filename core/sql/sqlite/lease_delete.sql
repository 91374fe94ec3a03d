-- ?1 subscriber, ?2 lease.
DELETE FROM blockqueue_lease WHERE subscriber_id = ?1 AND id = ?2;
