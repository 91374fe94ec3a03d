-- All of it: nothing is left over from a sweep.
DELETE FROM blockqueue_settling;
