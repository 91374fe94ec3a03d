-- ?1 schedule, ?2 the newest run to forget. Range of the primary key.
DELETE FROM blockqueue_schedule_run WHERE schedule_id = ?1 AND run <= ?2;
