-- ?1 key.
SELECT due_at FROM blockqueue_delayed WHERE id = ?1;
