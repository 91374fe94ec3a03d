-- A topic to reclaim. Index blockqueue_topic_deleted.
SELECT id FROM blockqueue_topic WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1;
