-- ?1 log, ?2 and ?3 keys that what is about to be trimmed is above, and up to. Primary keys.
UPDATE blockqueue_log
   SET trimmed_at = coalesce((SELECT published_at
                                FROM blockqueue_message
                               WHERE id > ?2 AND id <= ?3
                               ORDER BY id DESC
                               LIMIT 1), trimmed_at)
 WHERE id = ?1;
