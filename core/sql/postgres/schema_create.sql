-- $1 schema. The statement that creates it.
SELECT format('CREATE SCHEMA %I', $1::text);
