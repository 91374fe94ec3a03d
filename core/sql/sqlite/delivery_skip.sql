-- ?1 message, ?2 subscriber, ?3 priority. To be passed over by the cursor.
INSERT INTO blockqueue_delivery (message_id, subscriber_id, state, priority, attempts, failures)
VALUES (?1, ?2, 5, ?3, 0, 0);
