-- From here on the copy that goes on is copy ?1.
INSERT INTO blockqueue_copy (id, is_ours) VALUES (?1, 1);
