-- At most as many as are kept.
SELECT count(*) FROM blockqueue_rejected;
