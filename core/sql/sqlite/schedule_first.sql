-- ?1 topic. Index blockqueue_schedule_name.
SELECT id FROM blockqueue_schedule WHERE topic_id = ?1 ORDER BY name LIMIT 1;
