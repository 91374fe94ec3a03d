/* Generated, as blockqueue.h, which explains it. There is no preprocessor in here. */

typedef struct bq_clock bq_clock;

bq_status bq_clock_new(int64_t at_ms, struct bq_clock **clock, bq_error **error);

bq_status bq_clock_set(struct bq_clock *clock, int64_t at_ms, bq_error **error);

bq_status bq_clock_advance(struct bq_clock *clock, int64_t by_ms, bq_error **error);

bq_status bq_clock_free(struct bq_clock *clock);

bq_status bq_queue_open_with_clock(const char *path,
                                   size_t path_len,
                                   const bq_open_options *options,
                                   struct bq_clock *clock,
                                   bq_queue **queue,
                                   bq_error **error);
