-- $1 group, $2 whether it may have been done before, $3 time of a test, $4 tag, $5 topics, $6 subscribers,
-- $7 operations, $8 claims, $9 payloads. One transaction.
SELECT answer::text, bodies
  FROM bq_apply($1::text::uuid, $2::boolean, $3::bigint, $4::int, $5::text[], $6::bigint[], $7::text::jsonb,
                $8::text::jsonb, $9::bytea[]);
