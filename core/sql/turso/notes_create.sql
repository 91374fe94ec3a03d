-- On the mirror: the keys of the rows that a transaction changed. tbl is the place of the table in their list;
-- columns that a key does not have are 0.
CREATE TEMP TABLE blockqueue_notes (
  tbl INTEGER NOT NULL,
  one NOT NULL,
  two NOT NULL,
  three NOT NULL,
  PRIMARY KEY (tbl, one, two, three)
) WITHOUT ROWID;
