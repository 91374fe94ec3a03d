-- What belongs to something that is not there: schedules of no topic, runs of no schedule, unique keys of no
-- topic; and replies that expired before they were there. Only for an examination of the file. Primary keys,
-- indexes blockqueue_schedule_name and blockqueue_unique_look.
SELECT (SELECT count(*) FROM blockqueue_schedule s
         WHERE NOT EXISTS (SELECT 1 FROM blockqueue_topic t WHERE t.id = s.topic_id)),
       (SELECT count(*) FROM blockqueue_schedule_run r
         WHERE NOT EXISTS (SELECT 1 FROM blockqueue_schedule s WHERE s.id = r.schedule_id)),
       (SELECT count(*) FROM blockqueue_unique u
         WHERE NOT EXISTS (SELECT 1 FROM blockqueue_topic t WHERE t.id = u.topic_id)),
       (SELECT count(*) FROM blockqueue_result WHERE expires_at <= replied_at);
