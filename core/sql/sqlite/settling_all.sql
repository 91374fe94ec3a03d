-- In the order of the table's key: the deliveries of one claim are neighbours.
SELECT receipt, verb, delay_ms, error, give_up FROM blockqueue_settling ORDER BY receipt;
