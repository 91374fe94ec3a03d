-- ?1 now, ?2 how many. Index blockqueue_unique_look.
SELECT topic_id, key, message_id, accepted_at
  FROM blockqueue_unique
 WHERE look_at <= ?1
 ORDER BY look_at
 LIMIT ?2;
