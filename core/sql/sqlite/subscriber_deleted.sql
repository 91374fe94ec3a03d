-- A subscriber to reclaim. Index blockqueue_subscriber_deleted.
SELECT id, topic_id FROM blockqueue_subscriber WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1;
