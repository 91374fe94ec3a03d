-- Fails unless the copy that goes on is copy ?1. One row.
UPDATE blockqueue_copy SET is_ours = CASE id WHEN ?1 THEN 1 END;
