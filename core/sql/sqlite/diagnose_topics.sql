-- Live topics. Only for an examination of the file. Index blockqueue_topic_name.
SELECT id FROM blockqueue_topic WHERE deleted_at IS NULL ORDER BY name;
