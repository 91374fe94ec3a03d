-- ?1 receipt, ?2 delay, ?3 error, ?4 whether to give up. The columns of docs/sql.md.
INSERT INTO blockqueue_nack (receipt, delay_ms, error, give_up) VALUES (?1, ?2, ?3, ?4);
