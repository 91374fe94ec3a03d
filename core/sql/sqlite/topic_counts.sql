-- ?1 topic, ?2 to ?4 counters.
UPDATE blockqueue_topic
   SET delayed_count = ?2, delayed_bytes = ?3, delayed_cancelled_count = ?4
 WHERE id = ?1;
