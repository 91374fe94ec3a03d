-- On the mirror: what was noted.
SELECT tbl, one, two, three FROM temp.blockqueue_notes;
