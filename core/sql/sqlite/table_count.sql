-- Whether the file is new.
SELECT count(*) FROM sqlite_master;
