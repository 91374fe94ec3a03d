-- ?1 topic, ?2 name to be after, ?3 how many. Index blockqueue_schedule_name.
SELECT id, name FROM blockqueue_schedule WHERE topic_id = ?1 AND name > ?2 ORDER BY name LIMIT ?3;
