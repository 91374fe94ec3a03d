-- ?1 topic. At most some thousand entries of index blockqueue_schedule_name.
SELECT count(*) FROM blockqueue_schedule WHERE topic_id = ?1;
