-- ?1 topic, ?2 name. Index blockqueue_schedule_name.
SELECT id FROM blockqueue_schedule WHERE topic_id = ?1 AND name = ?2;
