-- ?1 schedule, ?2 run, ?3 status, ?4 first and ?5 last occurrence, ?6 now, ?7 and ?8 the message, ?9 error.
INSERT INTO blockqueue_schedule_run (schedule_id, run, status, occurrence_at, until_at, at, message_id,
                                     message_at, error)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);
