-- $1 query, $2 time of a test. One snapshot.
SELECT o_answer::text, o_bodies FROM bq_ask($1::text::jsonb, $2::bigint);
