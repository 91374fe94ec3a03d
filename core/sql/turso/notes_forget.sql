-- On the mirror: begins anew.
DELETE FROM temp.blockqueue_notes;
