-- In the order of the table's key: the deliveries of one claim are neighbours.
SELECT receipt, verb, delay_ms, error, give_up, reply, reply_content_type, reply_ttl_ms
  FROM blockqueue_settling
 ORDER BY receipt;
