-- ?1 how many are kept. Range of the key, whose numbers have no gaps.
DELETE FROM blockqueue_rejected WHERE id <= (SELECT max(id) FROM blockqueue_rejected) - ?1;
