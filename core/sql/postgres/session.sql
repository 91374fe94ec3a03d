-- $1 schema, $2 whether commits wait for the disk. The settings of a connection.
SELECT pg_backend_pid(), current_setting('server_version_num')::int, set_config('search_path', quote_ident($1) || ', pg_temp', false),
       set_config('synchronous_commit', $2, false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('lock_timeout', '10s', false),
       set_config('client_min_messages', 'warning', false),
       -- A queue is empty now and has millions of messages in an hour: plans do not depend on what was counted some
       -- time ago. Whatever grows is found by keys, and joined one by one.
       set_config('enable_seqscan', 'off', false),
       set_config('enable_bitmapscan', 'off', false),
       set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false),
       set_config('jit', 'off', false),
       -- Functions are made in any order.
       set_config('check_function_bodies', 'off', false),
       set_config('idle_in_transaction_session_timeout', '90s', false);
