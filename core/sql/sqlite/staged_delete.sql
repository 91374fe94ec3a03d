-- ?1 the newest staged message that is promoted or rejected. Range of the table's key.
DELETE FROM blockqueue_staged WHERE id <= ?1;
