-- Index blockqueue_delayed_due.
SELECT due_at FROM blockqueue_delayed ORDER BY due_at LIMIT 1;
