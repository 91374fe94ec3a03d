-- ?1 receipt. The column of docs/sql.md.
INSERT INTO blockqueue_ack (receipt) VALUES (?1);
