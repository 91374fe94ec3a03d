/* Generated, as blockqueue.h, which explains it. There is no preprocessor in here. */

typedef enum bq_abi {
  BQ_ABI_VERSION = 1,
} bq_abi;

typedef enum bq_code {
  BQ_OK = 0,
  BQ_INVALID_ARGUMENT = 1,
  BQ_LIMIT_EXCEEDED = 2,
  BQ_UNKNOWN_TOPIC = 3,
  BQ_UNKNOWN_SUBSCRIBER = 4,
  BQ_UNKNOWN_MESSAGE = 5,
  BQ_TOPIC_EXISTS = 6,
  BQ_SUBSCRIBER_EXISTS = 7,
  BQ_LEASE_LOST = 8,
  BQ_INVALID_RECEIPT = 9,
  BQ_IDEMPOTENCY_CONFLICT = 10,
  BQ_BACKLOG_FULL = 11,
  BQ_BUSY = 12,
  BQ_LOCKED = 13,
  BQ_SHUTDOWN = 14,
  BQ_OUTCOME_UNKNOWN = 15,
  BQ_DISK_FULL = 16,
  BQ_READ_ONLY = 17,
  BQ_CANNOT_OPEN = 18,
  BQ_NOT_A_DATABASE = 19,
  BQ_CORRUPT = 20,
  BQ_NEWER_SCHEMA = 21,
  BQ_IO = 22,
  BQ_INTERNAL = 23,
  BQ_IN_TRANSACTION = 24,
  BQ_TRANSACTION_ENDED = 25,
  BQ_SQL_FAILED = 26,
  BQ_UNKNOWN_SCHEDULE = 27,
  BQ_SCHEDULE_EXISTS = 28,
  BQ_STALE_VERSION = 29,
  BQ_UNIQUE_CONFLICT = 30,
  BQ_FORKED = 31,
  BQ_FOREIGN_SQLITE = 32,
} bq_code;

typedef enum bq_retry {
  BQ_RETRY_NEVER = 0,
  BQ_RETRY_LATER = 1,
  BQ_RETRY_RECONCILE = 2,
} bq_retry;

typedef enum bq_durability {
  BQ_DURABILITY_FULL = 0,
  BQ_DURABILITY_BALANCED = 1,
} bq_durability;

typedef enum bq_state {
  BQ_STATE_NONE = 0,
  BQ_STATE_PENDING = 1,
  BQ_STATE_LEASED = 2,
  BQ_STATE_RETRYING = 3,
  BQ_STATE_PARKED = 4,
  BQ_STATE_DEAD_LETTERED = 5,
  BQ_STATE_SETTLED = 6,
} bq_state;

typedef enum bq_value_kind {
  BQ_VALUE_NULL = 0,
  BQ_VALUE_INTEGER = 1,
  BQ_VALUE_REAL = 2,
  BQ_VALUE_TEXT = 3,
  BQ_VALUE_BLOB = 4,
} bq_value_kind;

typedef struct bq_completions bq_completions;

typedef struct bq_deliveries bq_deliveries;

typedef struct bq_error bq_error;

typedef struct bq_queue bq_queue;

typedef struct bq_text bq_text;

typedef struct bq_token bq_token;

typedef struct bq_transaction bq_transaction;

typedef int32_t bq_status;

typedef struct bq_id {
  uint8_t bytes[16];
} bq_id;

typedef struct bq_receipt {
  uint8_t bytes[52];
} bq_receipt;

typedef struct bq_open_options {
  size_t size;
  size_t payload_bytes_max;
  int32_t durability;
  bool must_exist;
} bq_open_options;

typedef struct bq_slice {
  const char *data;
  size_t len;
} bq_slice;

typedef struct bq_header {
  struct bq_slice name;
  struct bq_slice value;
} bq_header;

typedef struct bq_message_options {
  size_t size;
  struct bq_slice content_type;
  const struct bq_header *headers;
  size_t header_count;
  struct bq_slice correlation_id;
  struct bq_slice idempotency_key;
  struct bq_slice ordering_key;
  struct bq_slice unique_key;
  int64_t delay_ms;
  int64_t deliver_at_ms;
  int64_t ttl_ms;
  int32_t priority;
} bq_message_options;

typedef struct bq_published {
  struct bq_id id;
  int64_t deliver_at_ms;
  uint64_t subscriber_count;
  bool duplicate;
} bq_published;

typedef struct bq_message {
  struct bq_slice payload;
  const struct bq_message_options *options;
} bq_message;

typedef struct bq_delivery {
  struct bq_receipt receipt;
  struct bq_id message_id;
  struct bq_slice topic;
  struct bq_slice subscriber;
  struct bq_slice payload;
  struct bq_slice content_type;
  const struct bq_header *headers;
  size_t header_count;
  struct bq_slice correlation_id;
  struct bq_slice ordering_key;
  int64_t published_at_ms;
  int64_t expires_at_ms;
  int64_t lease_expires_at_ms;
  int32_t priority;
  uint32_t attempt;
  uint32_t failures;
} bq_delivery;

typedef struct bq_settled {
  bq_status status;
  int32_t state;
  int64_t at_ms;
} bq_settled;

typedef struct bq_claim_options {
  size_t size;
  size_t limit;
  int64_t wait_ms;
  int64_t lease_ms;
} bq_claim_options;

typedef struct bq_source {
  struct bq_slice topic;
  struct bq_slice subscriber;
} bq_source;

typedef struct bq_nack_options {
  size_t size;
  struct bq_slice error;
  int64_t delay_ms;
  bool has_delay;
  bool give_up;
} bq_nack_options;

typedef struct bq_nack {
  struct bq_receipt receipt;
  const struct bq_nack_options *options;
} bq_nack;

typedef struct bq_deferral {
  struct bq_receipt receipt;
  int64_t delay_ms;
} bq_deferral;

typedef struct bq_completion {
  uint64_t tag;
  bq_status status;
  bool cancelled;
  struct bq_error *error;
  struct bq_deliveries *deliveries;
  struct bq_text *text;
  const struct bq_delivery *items;
  const struct bq_published *published;
  const struct bq_settled *settled;
  size_t count;
} bq_completion;

typedef void (*bq_progress)(uint64_t bytes_done, uint64_t bytes_total, void *user);

typedef struct bq_value {
  int32_t kind;
  int64_t integer;
  double real;
  struct bq_slice bytes;
} bq_value;

const char *bq_version(void);

uint32_t bq_abi_version(void);

bq_status bq_abi_check(uint32_t version, struct bq_error **error);

const char *bq_status_code(bq_status status);

int32_t bq_status_retry(bq_status status);

bq_status bq_error_status(struct bq_error *error);

const char *bq_error_detail(struct bq_error *error, size_t *len);

int64_t bq_error_index(struct bq_error *error);

bq_status bq_error_free(struct bq_error *error);

const char *bq_text_data(struct bq_text *text, size_t *len);

bq_status bq_text_free(struct bq_text *text);

bq_status bq_id_text(const struct bq_id *id, char *buffer, struct bq_error **error);

bq_status bq_id_parse(const char *data, size_t len, struct bq_id *id, struct bq_error **error);

bq_status bq_receipt_text(const struct bq_receipt *receipt,
                          char *buffer,
                          size_t capacity,
                          size_t *len,
                          struct bq_error **error);

bq_status bq_receipt_parse(const char *data, size_t len, struct bq_receipt *receipt, struct bq_error **error);

bq_status bq_queue_open(const char *path,
                        size_t path_len,
                        const struct bq_open_options *options,
                        struct bq_queue **queue,
                        struct bq_error **error);

bq_status bq_queue_shutdown(struct bq_queue *queue, struct bq_error **error);

bq_status bq_queue_free(struct bq_queue *queue);

bq_status bq_token_new(struct bq_token **token, struct bq_error **error);

bq_status bq_token_cancel(struct bq_token *token, struct bq_error **error);

bq_status bq_token_free(struct bq_token *token);

bq_status bq_queue_publish(struct bq_queue *queue,
                           const char *topic,
                           size_t topic_len,
                           const void *payload,
                           size_t payload_len,
                           const struct bq_message_options *options,
                           struct bq_published *published,
                           struct bq_error **error);

bq_status bq_queue_publish_batch(struct bq_queue *queue,
                                 const char *topic,
                                 size_t topic_len,
                                 const struct bq_message *messages,
                                 size_t count,
                                 struct bq_published *published,
                                 struct bq_error **error);

bq_status bq_queue_publish_packed(struct bq_queue *queue,
                                  const char *topic,
                                  size_t topic_len,
                                  const void *data,
                                  size_t data_len,
                                  const size_t *lengths,
                                  size_t count,
                                  const struct bq_message_options *options,
                                  struct bq_published *published,
                                  struct bq_error **error);

bq_status bq_deliveries_items(struct bq_deliveries *deliveries,
                              const struct bq_delivery **items,
                              size_t *count,
                              struct bq_error **error);

bq_status bq_deliveries_ack(struct bq_queue *queue,
                            struct bq_deliveries *deliveries,
                            struct bq_settled *results,
                            struct bq_error **error);

bq_status bq_deliveries_release(struct bq_queue *queue, struct bq_deliveries *deliveries, struct bq_error **error);

bq_status bq_deliveries_free(struct bq_deliveries *deliveries);

bq_status bq_queue_claim(struct bq_queue *queue,
                         const char *topic,
                         size_t topic_len,
                         const char *subscriber,
                         size_t subscriber_len,
                         const struct bq_claim_options *options,
                         struct bq_token *token,
                         struct bq_deliveries **deliveries,
                         struct bq_error **error);

bq_status bq_queue_claim_any(struct bq_queue *queue,
                             const struct bq_source *sources,
                             size_t source_count,
                             const struct bq_claim_options *options,
                             struct bq_token *token,
                             struct bq_deliveries **deliveries,
                             struct bq_error **error);

bq_status bq_queue_ack(struct bq_queue *queue, const struct bq_receipt *receipt, struct bq_error **error);

bq_status bq_queue_ack_with_result(struct bq_queue *queue,
                                   const struct bq_receipt *receipt,
                                   const void *payload,
                                   size_t payload_len,
                                   const char *content_type,
                                   size_t content_type_len,
                                   int64_t ttl_ms,
                                   struct bq_error **error);

bq_status bq_queue_ack_batch(struct bq_queue *queue,
                             const struct bq_receipt *receipts,
                             size_t count,
                             struct bq_settled *results,
                             struct bq_error **error);

bq_status bq_queue_nack(struct bq_queue *queue,
                        const struct bq_receipt *receipt,
                        const struct bq_nack_options *options,
                        struct bq_settled *result,
                        struct bq_error **error);

bq_status bq_queue_nack_batch(struct bq_queue *queue,
                              const struct bq_nack *nacks,
                              size_t count,
                              struct bq_settled *results,
                              struct bq_error **error);

bq_status bq_queue_extend(struct bq_queue *queue,
                          const struct bq_receipt *receipt,
                          int64_t lease_ms,
                          struct bq_settled *result,
                          struct bq_error **error);

bq_status bq_queue_extend_batch(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                int64_t lease_ms,
                                struct bq_settled *results,
                                struct bq_error **error);

bq_status bq_queue_defer(struct bq_queue *queue,
                         const struct bq_receipt *receipt,
                         int64_t delay_ms,
                         struct bq_settled *result,
                         struct bq_error **error);

bq_status bq_queue_defer_batch(struct bq_queue *queue,
                               const struct bq_deferral *deferrals,
                               size_t count,
                               struct bq_settled *results,
                               struct bq_error **error);

bq_status bq_queue_cancel(struct bq_queue *queue,
                          const struct bq_receipt *receipt,
                          const char *reason,
                          size_t reason_len,
                          struct bq_error **error);

bq_status bq_queue_cancel_batch(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                const char *reason,
                                size_t reason_len,
                                struct bq_settled *results,
                                struct bq_error **error);

bq_status bq_completions_new(bool descriptor, struct bq_completions **completions, struct bq_error **error);

int32_t bq_completions_descriptor(struct bq_completions *completions);

bq_status bq_completions_wait(struct bq_completions *completions,
                              int64_t timeout_ms,
                              struct bq_completion *items,
                              size_t capacity,
                              size_t *count,
                              struct bq_error **error);

bq_status bq_completions_cancel(struct bq_completions *completions, uint64_t tag, struct bq_error **error);

bq_status bq_completions_free(struct bq_completions *completions);

bq_status bq_queue_publish_start(struct bq_queue *queue,
                                 const char *topic,
                                 size_t topic_len,
                                 const struct bq_message *messages,
                                 size_t count,
                                 struct bq_completions *completions,
                                 uint64_t tag,
                                 struct bq_error **error);

bq_status bq_queue_publish_packed_start(struct bq_queue *queue,
                                        const char *topic,
                                        size_t topic_len,
                                        const void *data,
                                        size_t data_len,
                                        const size_t *lengths,
                                        size_t count,
                                        const struct bq_message_options *options,
                                        struct bq_completions *completions,
                                        uint64_t tag,
                                        struct bq_error **error);

bq_status bq_queue_claim_start(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               const struct bq_claim_options *options,
                               struct bq_completions *completions,
                               uint64_t tag,
                               struct bq_error **error);

bq_status bq_queue_claim_any_start(struct bq_queue *queue,
                                   const struct bq_source *sources,
                                   size_t source_count,
                                   const struct bq_claim_options *options,
                                   struct bq_completions *completions,
                                   uint64_t tag,
                                   struct bq_error **error);

bq_status bq_queue_ack_start(struct bq_queue *queue,
                             const struct bq_receipt *receipts,
                             size_t count,
                             struct bq_completions *completions,
                             uint64_t tag,
                             struct bq_error **error);

bq_status bq_queue_nack_start(struct bq_queue *queue,
                              const struct bq_nack *nacks,
                              size_t count,
                              struct bq_completions *completions,
                              uint64_t tag,
                              struct bq_error **error);

bq_status bq_queue_extend_start(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                int64_t lease_ms,
                                struct bq_completions *completions,
                                uint64_t tag,
                                struct bq_error **error);

bq_status bq_queue_defer_start(struct bq_queue *queue,
                               const struct bq_deferral *deferrals,
                               size_t count,
                               struct bq_completions *completions,
                               uint64_t tag,
                               struct bq_error **error);

bq_status bq_queue_cancel_start(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                const char *reason,
                                size_t reason_len,
                                struct bq_completions *completions,
                                uint64_t tag,
                                struct bq_error **error);

bq_status bq_result_start(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *subscriber,
                          size_t subscriber_len,
                          const struct bq_id *message_id,
                          int64_t wait_ms,
                          struct bq_completions *completions,
                          uint64_t tag,
                          struct bq_error **error);

bq_status bq_result_get(struct bq_queue *queue,
                        const char *topic,
                        size_t topic_len,
                        const char *subscriber,
                        size_t subscriber_len,
                        const struct bq_id *message_id,
                        int64_t wait_ms,
                        struct bq_token *token,
                        struct bq_text **answer,
                        struct bq_error **error);

bq_status bq_topic_create(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *settings,
                          size_t settings_len,
                          struct bq_text **answer,
                          struct bq_error **error);

bq_status bq_topic_get(struct bq_queue *queue,
                       const char *topic,
                       size_t topic_len,
                       struct bq_text **answer,
                       struct bq_error **error);

bq_status bq_topic_list(struct bq_queue *queue,
                        size_t limit,
                        const char *after,
                        size_t after_len,
                        struct bq_text **answer,
                        struct bq_error **error);

bq_status bq_topic_update(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *settings,
                          size_t settings_len,
                          struct bq_text **answer,
                          struct bq_error **error);

bq_status bq_topic_delete(struct bq_queue *queue, const char *topic, size_t topic_len, struct bq_error **error);

bq_status bq_topic_pause(struct bq_queue *queue, const char *topic, size_t topic_len, struct bq_error **error);

bq_status bq_topic_resume(struct bq_queue *queue, const char *topic, size_t topic_len, struct bq_error **error);

bq_status bq_topic_stats(struct bq_queue *queue,
                         const char *topic,
                         size_t topic_len,
                         struct bq_text **answer,
                         struct bq_error **error);

bq_status bq_subscriber_create(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *settings,
                               size_t settings_len,
                               struct bq_text **answer,
                               struct bq_error **error);

bq_status bq_subscriber_get(struct bq_queue *queue,
                            const char *topic,
                            size_t topic_len,
                            const char *subscriber,
                            size_t subscriber_len,
                            struct bq_text **answer,
                            struct bq_error **error);

bq_status bq_subscriber_list(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             size_t limit,
                             const char *after,
                             size_t after_len,
                             struct bq_text **answer,
                             struct bq_error **error);

bq_status bq_subscriber_update(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               const char *settings,
                               size_t settings_len,
                               struct bq_text **answer,
                               struct bq_error **error);

bq_status bq_subscriber_delete(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               struct bq_error **error);

bq_status bq_subscriber_pause(struct bq_queue *queue,
                              const char *topic,
                              size_t topic_len,
                              const char *subscriber,
                              size_t subscriber_len,
                              struct bq_error **error);

bq_status bq_subscriber_resume(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               struct bq_error **error);

bq_status bq_subscriber_stats(struct bq_queue *queue,
                              const char *topic,
                              size_t topic_len,
                              const char *subscriber,
                              size_t subscriber_len,
                              struct bq_text **answer,
                              struct bq_error **error);

bq_status bq_subscriber_seek(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *subscriber,
                             size_t subscriber_len,
                             const char *to,
                             size_t to_len,
                             struct bq_text **answer,
                             struct bq_error **error);

bq_status bq_subscriber_peek(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *subscriber,
                             size_t subscriber_len,
                             size_t limit,
                             const char *after,
                             size_t after_len,
                             struct bq_text **answer,
                             struct bq_error **error);

bq_status bq_dead_letters_list(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               size_t limit,
                               const char *after,
                               size_t after_len,
                               struct bq_text **answer,
                               struct bq_error **error);

bq_status bq_dead_letters_redrive(struct bq_queue *queue,
                                  const char *topic,
                                  size_t topic_len,
                                  const char *subscriber,
                                  size_t subscriber_len,
                                  const char *options,
                                  size_t options_len,
                                  struct bq_text **answer,
                                  struct bq_error **error);

bq_status bq_dead_letters_purge(struct bq_queue *queue,
                                const char *topic,
                                size_t topic_len,
                                const char *subscriber,
                                size_t subscriber_len,
                                const char *options,
                                size_t options_len,
                                struct bq_text **answer,
                                struct bq_error **error);

bq_status bq_failures_list(struct bq_queue *queue,
                           const char *topic,
                           size_t topic_len,
                           const char *subscriber,
                           size_t subscriber_len,
                           const struct bq_id *message_id,
                           size_t limit,
                           const char *after,
                           size_t after_len,
                           struct bq_text **answer,
                           struct bq_error **error);

bq_status bq_schedule_create(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *schedule,
                             size_t schedule_len,
                             const char *settings,
                             size_t settings_len,
                             struct bq_text **answer,
                             struct bq_error **error);

bq_status bq_schedule_get(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *schedule,
                          size_t schedule_len,
                          struct bq_text **answer,
                          struct bq_error **error);

bq_status bq_schedule_list(struct bq_queue *queue,
                           const char *topic,
                           size_t topic_len,
                           size_t limit,
                           const char *after,
                           size_t after_len,
                           struct bq_text **answer,
                           struct bq_error **error);

bq_status bq_schedule_update(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *schedule,
                             size_t schedule_len,
                             uint64_t version,
                             const char *settings,
                             size_t settings_len,
                             struct bq_text **answer,
                             struct bq_error **error);

bq_status bq_schedule_delete(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *schedule,
                             size_t schedule_len,
                             struct bq_error **error);

bq_status bq_schedule_pause(struct bq_queue *queue,
                            const char *topic,
                            size_t topic_len,
                            const char *schedule,
                            size_t schedule_len,
                            struct bq_error **error);

bq_status bq_schedule_resume(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *schedule,
                             size_t schedule_len,
                             struct bq_error **error);

bq_status bq_schedule_run(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *schedule,
                          size_t schedule_len,
                          struct bq_text **answer,
                          struct bq_error **error);

bq_status bq_schedule_runs(struct bq_queue *queue,
                           const char *topic,
                           size_t topic_len,
                           const char *schedule,
                           size_t schedule_len,
                           size_t limit,
                           const char *after,
                           size_t after_len,
                           struct bq_text **answer,
                           struct bq_error **error);

bq_status bq_message_get(struct bq_queue *queue,
                         const char *topic,
                         size_t topic_len,
                         const struct bq_id *message_id,
                         struct bq_text **answer,
                         struct bq_error **error);

bq_status bq_message_cancel(struct bq_queue *queue,
                            const char *topic,
                            size_t topic_len,
                            const struct bq_id *message_id,
                            struct bq_text **answer,
                            struct bq_error **error);

bq_status bq_delivery_cancel(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *subscriber,
                             size_t subscriber_len,
                             const struct bq_id *message_id,
                             const char *reason,
                             size_t reason_len,
                             struct bq_error **error);

bq_status bq_queue_stats(struct bq_queue *queue, struct bq_text **answer, struct bq_error **error);

bq_status bq_queue_diagnose(struct bq_queue *queue, struct bq_text **answer, struct bq_error **error);

bq_status bq_queue_backup(struct bq_queue *queue,
                          const char *path,
                          size_t path_len,
                          bq_progress progress,
                          void *user,
                          struct bq_error **error);

bq_status bq_transaction_begin(struct bq_queue *queue,
                               int64_t deadline_ms,
                               bool thread_bound,
                               struct bq_transaction **transaction,
                               struct bq_error **error);

bq_status bq_transaction_execute(struct bq_transaction *transaction,
                                 const char *sql,
                                 size_t sql_len,
                                 const struct bq_value *values,
                                 size_t value_count,
                                 uint64_t *changed,
                                 struct bq_error **error);

bq_status bq_transaction_query(struct bq_transaction *transaction,
                               const char *sql,
                               size_t sql_len,
                               const struct bq_value *values,
                               size_t value_count,
                               struct bq_text **answer,
                               struct bq_error **error);

bq_status bq_transaction_publish(struct bq_transaction *transaction,
                                 const char *topic,
                                 size_t topic_len,
                                 const void *payload,
                                 size_t payload_len,
                                 const struct bq_message_options *options,
                                 struct bq_published *published,
                                 struct bq_error **error);

bq_status bq_transaction_publish_batch(struct bq_transaction *transaction,
                                       const char *topic,
                                       size_t topic_len,
                                       const struct bq_message *messages,
                                       size_t count,
                                       struct bq_published *published,
                                       struct bq_error **error);

bq_status bq_transaction_ack(struct bq_transaction *transaction,
                             const struct bq_receipt *receipt,
                             struct bq_error **error);

bq_status bq_transaction_nack(struct bq_transaction *transaction,
                              const struct bq_receipt *receipt,
                              const struct bq_nack_options *options,
                              struct bq_settled *result,
                              struct bq_error **error);

bq_status bq_transaction_extend(struct bq_transaction *transaction,
                                const struct bq_receipt *receipt,
                                int64_t lease_ms,
                                struct bq_settled *result,
                                struct bq_error **error);

bq_status bq_transaction_defer(struct bq_transaction *transaction,
                               const struct bq_receipt *receipt,
                               int64_t delay_ms,
                               struct bq_settled *result,
                               struct bq_error **error);

bq_status bq_transaction_cancel(struct bq_transaction *transaction,
                                const struct bq_receipt *receipt,
                                const char *reason,
                                size_t reason_len,
                                struct bq_error **error);

bq_status bq_transaction_message_cancel(struct bq_transaction *transaction,
                                        const char *topic,
                                        size_t topic_len,
                                        const struct bq_id *message_id,
                                        struct bq_error **error);

bq_status bq_transaction_commit(struct bq_transaction *transaction, struct bq_error **error);

bq_status bq_transaction_rollback(struct bq_transaction *transaction, struct bq_error **error);

bq_status bq_transaction_free(struct bq_transaction *transaction);

const char *bq_limits(void);
