-- $1 name, $2 value.
INSERT INTO blockqueue_meta (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
