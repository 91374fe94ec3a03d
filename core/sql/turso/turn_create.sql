-- Engines that others were faster than, again and again: until when they ask for a gap, and how long a one.
CREATE TABLE IF NOT EXISTS blockqueue_turn (
  engine TEXT PRIMARY KEY,
  until INTEGER NOT NULL,
  gap_ms INTEGER NOT NULL
);
