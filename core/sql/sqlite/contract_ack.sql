-- ?1 receipt, ?2 reply, ?3 its content type, ?4 its life. The columns of docs/sql.md.
INSERT INTO blockqueue_ack (receipt, reply, reply_content_type, reply_ttl_ms) VALUES (?1, ?2, ?3, ?4);
