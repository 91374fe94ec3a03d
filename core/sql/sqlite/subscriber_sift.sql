-- ?1 subscriber, ?2 the key that it has come to; NULL: it is done.
UPDATE blockqueue_subscriber SET sifted_key = ?2 WHERE id = ?1;
