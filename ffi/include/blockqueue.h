/*
 * BlockQueue: a durable fan-out message queue in one file. This is the C ABI of libblockqueue.
 *
 * This file is generated from the library's sources, and it is the manual.
 *
 * WHAT IS FINAL. Everything below is: names, arguments, the order of fields, numbers. Later releases add
 * functions, and fields at the end of structures that begin with their size, and change nothing that is here
 * without a new BQ_ABI_VERSION.
 *
 * STATUS AND ERRORS. Most functions return a bq_status: 0, or the number of what went wrong, which bq_code lists;
 * the same numbers and codes in every language. The last argument of such a function is NULL or the place for a
 * bq_error, which is NULL after a success and else says more; it belongs to you: bq_error_free. There is no last
 * error of a thread. Nothing to claim is an empty batch and not an error. No panic and no exception leaves the
 * library: a bug in it is the status `internal`.
 *
 * HANDLES. A pointer to one of the opaque types is a handle. It is never followed, only looked up in a table, by
 * a number that is never used again. So NULL, a handle that was freed, freed twice, or of another kind gives
 * `invalid_argument` and never a crash. Everything that a function hands out by a handle belongs to you, and each
 * kind has its _free; NULL may be freed. A lookup costs about 20 ns.
 *
 * MEMORY. What you pass is copied, or not needed any more, when a function returns; you may free or change it
 * then. Where a function stores an answer it does so only if it succeeds. Pointers that you pass must be what they
 * say for the length that you say; lengths are in bytes, or in items of an array. NULL with a length of 0 is empty.
 *
 * TEXTS. Names, keys and all that is not a payload are UTF-8, with a length and without a zero behind them:
 * pass BQ_LITERAL("orders") where a function wants pointer and length of a text that stands in your source. What is
 * not UTF-8 gives `invalid_argument`. Payloads are any bytes.
 *
 * STRUCTURES that begin with `size` are set to zero, except for the size: {.size = sizeof(bq_claim_options)}. Zero
 * means the default. A program that knows fewer fields than the library is as good as one that leaves them zero.
 *
 * TIME. Durations are in milliseconds and end in _ms; they must not be negative. Instants are milliseconds since
 * 1970-01-01T00:00:00Z and end in _at_ms, in JSON in _at; 0 means none.
 *
 * JSON. Settings of topics, subscribers and schedules go in as JSON, and what people look at (topics, statistics,
 * dead letters, messages) comes out as JSON, in a bq_text; each function says which. The words are the same in every
 * language: ffi/README.md lists them. What is published, claimed and settled are plain structures.
 *
 * THREADS. Every function may be called by any thread at any time, except where it says otherwise; the library
 * locks what it must. Functions that write block until the answer is on disk. Calls of many threads share one
 * commit, so many threads, or many operations that are started (_start), are much faster than one after the other.
 * bq_queue_shutdown may be called while others use the queue: they get `shutdown`. After a fork the child gets
 * `forked` from the queues of its parent, and opens its own. The library starts threads of its own and must stay
 * loaded.
 *
 * WAITING. A claim waits if its options say so, and is answered by the transaction that publishes. It ends early by
 * a bq_token. To wait for very many at once without a thread for each, start them and take their completions.
 *
 * VERSIONS. bq_abi_check(BQ_ABI_VERSION, NULL) at the start tells whether the library fits this header.
 *
 * PHP and others that have no preprocessor read blockqueue_plain.h, the same declarations and nothing else.
 */

#ifndef BLOCKQUEUE_H
#define BLOCKQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Versions of the ABI.
 */
typedef enum bq_abi {
  /**
   * The version that this header describes. It grows only when something in it changes or goes; functions
   * and fields that come do not change it.
   */
  BQ_ABI_VERSION = 1,
} bq_abi;

/**
 * The numbers of errors. They never change, and none is used twice.
 */
typedef enum bq_code {
  /**
   * It was done.
   */
  BQ_OK = 0,
  /**
   * An argument breaks a documented rule. Fix the call; bq_error_detail names the argument and the rule.
   */
  BQ_INVALID_ARGUMENT = 1,
  /**
   * Something is over one of the limits. Send less, or open with a larger limit.
   */
  BQ_LIMIT_EXCEEDED = 2,
  /**
   * No topic of that name exists. Create it first.
   */
  BQ_UNKNOWN_TOPIC = 3,
  /**
   * The topic has no subscriber of that name, or it was deleted meanwhile. Create it first.
   */
  BQ_UNKNOWN_SUBSCRIBER = 4,
  /**
   * The topic has no such message: it never had, or it is settled everywhere and trimmed.
   */
  BQ_UNKNOWN_MESSAGE = 5,
  /**
   * A topic of that name exists already. Use it, or choose another name.
   */
  BQ_TOPIC_EXISTS = 6,
  /**
   * The topic has a subscriber of that name already. Use it, or choose another name.
   */
  BQ_SUBSCRIBER_EXISTS = 7,
  /**
   * The receipt's lease is over: drop the work, the delivery is settled or belongs to somebody else now.
   */
  BQ_LEASE_LOST = 8,
  /**
   * The text is not a receipt of this queue. Pass receipts on unchanged.
   */
  BQ_INVALID_RECEIPT = 9,
  /**
   * The idempotency key was used within its window for a different message. Choose another key.
   */
  BQ_IDEMPOTENCY_CONFLICT = 10,
  /**
   * The topic's backlog limit is reached and its policy is to refuse. Publish later, or consume.
   */
  BQ_BACKLOG_FULL = 11,
  /**
   * Too much work is waiting to be written. Try again after a pause.
   */
  BQ_BUSY = 12,
  /**
   * Another program held the file's write lock for too long. Try again; find out who holds it.
   */
  BQ_LOCKED = 13,
  /**
   * The queue was shut down. Open it anew.
   */
  BQ_SHUTDOWN = 14,
  /**
   * It cannot be known whether the operation is on disk. Repeat under the same idempotency key, or look first.
   */
  BQ_OUTCOME_UNKNOWN = 15,
  /**
   * The disk is full; nothing was written. Free space; the queue recovers by itself.
   */
  BQ_DISK_FULL = 16,
  /**
   * The file or its directory cannot be written. Fix the permissions.
   */
  BQ_READ_ONLY = 17,
  /**
   * The file cannot be opened or created. Check the path and its permissions.
   */
  BQ_CANNOT_OPEN = 18,
  /**
   * The file exists and is not an SQLite database. It was left untouched.
   */
  BQ_NOT_A_DATABASE = 19,
  /**
   * The file is damaged. It was left untouched; restore a backup.
   */
  BQ_CORRUPT = 20,
  /**
   * The file was written by a newer release. Update this program.
   */
  BQ_NEWER_SCHEMA = 21,
  /**
   * The operating system reported an error; nothing was written. Look at bq_error_detail, then try again.
   */
  BQ_IO = 22,
  /**
   * A bug in this library. Please report it.
   */
  BQ_INTERNAL = 23,
  /**
   * This thread has a transaction of the queue open, and would wait for itself. Use the transaction's
   * own methods, or end it first.
   */
  BQ_IN_TRANSACTION = 24,
  /**
   * The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one.
   */
  BQ_TRANSACTION_ENDED = 25,
  /**
   * SQLite refused a statement of yours. Look at bq_error_detail; the transaction goes on.
   */
  BQ_SQL_FAILED = 26,
  /**
   * The topic has no schedule of that name. Create it first.
   */
  BQ_UNKNOWN_SCHEDULE = 27,
  /**
   * The topic has a schedule of that name already. Use it, or choose another name.
   */
  BQ_SCHEDULE_EXISTS = 28,
  /**
   * Somebody changed it since that version. Read it again, and decide anew.
   */
  BQ_STALE_VERSION = 29,
  /**
   * Some subscriber is not done with an earlier message of this unique key. Publish later, or leave it:
   * the work is under way. A dead letter counts as done.
   */
  BQ_UNIQUE_CONFLICT = 30,
  /**
   * The handle came here by a fork: its threads are in the parent. Open the queue anew.
   */
  BQ_FORKED = 31,
  /**
   * Another SQLite library in this process has the file open, and on this system the two would destroy
   * it. Close it there, or use it in another process.
   */
  BQ_FOREIGN_SQLITE = 32,
} bq_code;

/**
 * Whether repeating a failed call can help.
 */
typedef enum bq_retry {
  /**
   * The same call will fail again: change it, or the world, first.
   */
  BQ_RETRY_NEVER = 0,
  /**
   * Nothing was done; the same call may succeed later.
   */
  BQ_RETRY_LATER = 1,
  /**
   * Nobody knows whether it was done: repeat it only under the same idempotency key, or look first.
   */
  BQ_RETRY_RECONCILE = 2,
} bq_retry;

/**
 * How safe an answered write is.
 */
typedef enum bq_durability {
  /**
   * On disk before the answer.
   */
  BQ_DURABILITY_FULL = 0,
  /**
   * Survives a crash of the process; a power cut may take the newest commits.
   */
  BQ_DURABILITY_BALANCED = 1,
} bq_durability;

/**
 * Where a delivery stands.
 */
typedef enum bq_state {
  /**
   * Not said.
   */
  BQ_STATE_NONE = 0,
  /**
   * Not claimed yet.
   */
  BQ_STATE_PENDING = 1,
  /**
   * Leased to a consumer.
   */
  BQ_STATE_LEASED = 2,
  /**
   * Waiting for its next attempt, or ready for it.
   */
  BQ_STATE_RETRYING = 3,
  /**
   * Waiting behind another delivery of its ordering key.
   */
  BQ_STATE_PARKED = 4,
  /**
   * Out of attempts, kept for people.
   */
  BQ_STATE_DEAD_LETTERED = 5,
  /**
   * Done: acked, cancelled or skipped.
   */
  BQ_STATE_SETTLED = 6,
} bq_state;

/**
 * What kind of value it is.
 */
typedef enum bq_value_kind {
  /**
   * None.
   */
  BQ_VALUE_NULL = 0,
  /**
   * A whole number, in `integer`.
   */
  BQ_VALUE_INTEGER = 1,
  /**
   * A number with a fraction, in `real`.
   */
  BQ_VALUE_REAL = 2,
  /**
   * UTF-8, in `bytes`.
   */
  BQ_VALUE_TEXT = 3,
  /**
   * Bytes, in `bytes`.
   */
  BQ_VALUE_BLOB = 4,
} bq_value_kind;

/**
 * Where operations that were started by a function named _start are completed. One thread that waits here
 * serves any number of them, of any number of queues.
 */
typedef struct bq_completions bq_completions;

/**
 * What a claim got. It belongs to the caller, who frees it with bq_deliveries_free, and may be passed between
 * threads. Freeing it does not settle anything: receipts are copied freely and outlive it.
 */
typedef struct bq_deliveries bq_deliveries;

/**
 * What went wrong, in full. A function that fails stores one in its last argument, unless that is NULL; free
 * it with bq_error_free. It belongs to the caller and may be passed between threads.
 */
typedef struct bq_error bq_error;

/**
 * An open queue. Any number of threads may use it at once. A process that was forked off gets `forked` from the
 * queues of its parent, and opens its own.
 */
typedef struct bq_queue bq_queue;

/**
 * A text that the library made, mostly JSON. It belongs to the caller, who frees it with bq_text_free, and may
 * be passed between threads.
 */
typedef struct bq_text bq_text;

/**
 * Ends waits from another thread: pass it to calls that wait, and cancel it. One token may be passed to any
 * number of calls. Once it is cancelled it stays so.
 */
typedef struct bq_token bq_token;

/**
 * A transaction that holds statements of your own and verbs of the queue: all of it happens, or nothing. For
 * programs that keep their tables in the queue's file. Everybody else who writes to the file waits for it, so
 * keep it short.
 *
 * A function that fails has changed nothing and the transaction goes on, unless it says `transaction_ended`:
 * then it was rolled back, because its deadline passed or a statement ended it. One thread at a time uses it.
 */
typedef struct bq_transaction bq_transaction;

/**
 * What became of a call: 0, or the number of an error, one of bq_code. A later release may return a number
 * that this header does not list: ask bq_status_code and bq_status_retry.
 */
typedef int32_t bq_status;

/**
 * The id of a message: the sixteen bytes of a UUID. It sorts by the time of publishing.
 */
typedef struct bq_id {
  /**
   * As RFC 9562 orders them.
   */
  uint8_t bytes[16];
} bq_id;

/**
 * The token of one lease: whoever holds it may settle the delivery. Opaque; copy it freely. It may be stored,
 * and used by another process and another language, as bytes or as text.
 */
typedef struct bq_receipt {
  /**
   * Opaque.
   */
  uint8_t bytes[52];
} bq_receipt;

/**
 * How to open a queue. Zero means the default.
 */
typedef struct bq_open_options {
  /**
   * sizeof(bq_open_options).
   */
  size_t size;
  /**
   * Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
   */
  size_t payload_bytes_max;
  /**
   * One of bq_durability. Default: on disk before the answer.
   */
  int32_t durability;
  /**
   * Refuse to create a file that does not exist. Default: create it.
   */
  bool must_exist;
} bq_open_options;

/**
 * Bytes, or a text in UTF-8, with their length. NULL is none at all, which differs from empty where something
 * may be left out.
 *
 * In what you pass it belongs to you; in what you get it lives as long as what it is part of. There need not
 * be a zero behind it.
 */
typedef struct bq_slice {
  /**
   * The first of them.
   */
  const char *data;
  /**
   * How many.
   */
  size_t len;
} bq_slice;

/**
 * A header of a message. Names are unique; order is not kept.
 */
typedef struct bq_header {
  /**
   * Its name, not empty.
   */
  struct bq_slice name;
  /**
   * Its value.
   */
  struct bq_slice value;
} bq_header;

/**
 * What a message has besides its payload. All zero is a plain message. Texts are UTF-8.
 */
typedef struct bq_message_options {
  /**
   * sizeof(bq_message_options).
   */
  size_t size;
  /**
   * What the payload is, for example "application/json".
   */
  struct bq_slice content_type;
  /**
   * An array of headers.
   */
  const struct bq_header *headers;
  /**
   * How many headers.
   */
  size_t header_count;
  /**
   * Ties the message to others, for example to a request.
   */
  struct bq_slice correlation_id;
  /**
   * A repeat of the key within the topic's window publishes nothing and answers with the first id.
   */
  struct bq_slice idempotency_key;
  /**
   * Messages of one key go to a subscriber that asks for order one at a time.
   */
  struct bq_slice ordering_key;
  /**
   * While some subscriber is not done with a message of this key, the topic takes no other of it.
   */
  struct bq_slice unique_key;
  /**
   * Deliver it this long after now. Not together with deliver_at_ms.
   */
  int64_t delay_ms;
  /**
   * Deliver it at this time, in milliseconds since 1970; a time in the past means now.
   */
  int64_t deliver_at_ms;
  /**
   * It is not delivered any more this long after it was published. 0: as the topic says.
   */
  int64_t ttl_ms;
  /**
   * From -1000 to 1000; higher is delivered first, and lower ones may starve.
   */
  int32_t priority;
} bq_message_options;

/**
 * The answer to a publish.
 */
typedef struct bq_published {
  /**
   * The message's id, for all its life.
   */
  struct bq_id id;
  /**
   * When it will become deliverable, in milliseconds since 1970; 0: now.
   */
  int64_t deliver_at_ms;
  /**
   * Subscribers that the topic has now, each of which will get it.
   */
  uint64_t subscriber_count;
  /**
   * The idempotency key was used before: nothing was published, this is the first message's id.
   */
  bool duplicate;
} bq_published;

/**
 * A message of a batch.
 */
typedef struct bq_message {
  /**
   * Any bytes, also none.
   */
  struct bq_slice payload;
  /**
   * What it has besides, or NULL. Messages may share it.
   */
  const struct bq_message_options *options;
} bq_message;

/**
 * A message leased to this consumer. Settle it with its receipt before the lease expires. All that it points to
 * lives as long as the bq_deliveries that it is part of.
 */
typedef struct bq_delivery {
  /**
   * The right to settle this delivery.
   */
  struct bq_receipt receipt;
  /**
   * The message's id.
   */
  struct bq_id message_id;
  /**
   * The topic's name.
   */
  struct bq_slice topic;
  /**
   * The subscriber's name.
   */
  struct bq_slice subscriber;
  /**
   * The bytes that were published.
   */
  struct bq_slice payload;
  /**
   * What the payload is; NULL if the publisher did not say.
   */
  struct bq_slice content_type;
  /**
   * The headers that were published, by name.
   */
  const struct bq_header *headers;
  /**
   * How many headers.
   */
  size_t header_count;
  /**
   * What the publisher tied the message to, or NULL.
   */
  struct bq_slice correlation_id;
  /**
   * What the message is in order with, or NULL.
   */
  struct bq_slice ordering_key;
  /**
   * When the message became deliverable, in milliseconds since 1970.
   */
  int64_t published_at_ms;
  /**
   * When the message expires; 0: never. A delivery that is leased by then may still be settled.
   */
  int64_t expires_at_ms;
  /**
   * When the lease expires.
   */
  int64_t lease_expires_at_ms;
  /**
   * The message's priority.
   */
  int32_t priority;
  /**
   * Which attempt this is, from 1.
   */
  uint32_t attempt;
  /**
   * Attempts that ended badly so far.
   */
  uint32_t failures;
} bq_delivery;

/**
 * What became of one receipt.
 */
typedef struct bq_settled {
  /**
   * 0, or what was refused: mostly `lease_lost`.
   */
  bq_status status;
  /**
   * Of a nack: BQ_STATE_RETRYING or BQ_STATE_DEAD_LETTERED; of an ack or a cancel BQ_STATE_SETTLED, of an
   * extension BQ_STATE_LEASED; else BQ_STATE_NONE.
   */
  int32_t state;
  /**
   * In milliseconds since 1970: when it can be claimed again, for a nack and a deferral; when the lease expires
   * now, for an extension; else 0.
   */
  int64_t at_ms;
} bq_settled;

/**
 * How to claim. Zero means the default.
 */
typedef struct bq_claim_options {
  /**
   * sizeof(bq_claim_options).
   */
  size_t size;
  /**
   * At most this many deliveries; up to 1,000. 0: as the subscriber says, which is 10 if nobody said.
   */
  size_t limit;
  /**
   * How long to wait when there is nothing to claim; up to 1 h. 0: not at all.
   */
  int64_t wait_ms;
  /**
   * How long the deliveries are leased; up to 12 h. 0: as the subscriber says, which is 30 s if nobody said.
   */
  int64_t lease_ms;
} bq_claim_options;

/**
 * One subscriber of one topic.
 */
typedef struct bq_source {
  /**
   * The topic's name.
   */
  struct bq_slice topic;
  /**
   * The subscriber's name.
   */
  struct bq_slice subscriber;
} bq_source;

/**
 * How to report a failure. All zero: as the subscriber's retry policy says.
 */
typedef struct bq_nack_options {
  /**
   * sizeof(bq_nack_options).
   */
  size_t size;
  /**
   * What went wrong, kept with the delivery; cut at 4 KiB. UTF-8.
   */
  struct bq_slice error;
  /**
   * Wait this long before the next attempt, if has_delay.
   */
  int64_t delay_ms;
  /**
   * Whether delay_ms counts; else the subscriber's retry policy does.
   */
  bool has_delay;
  /**
   * Make it a dead letter now, whatever attempts are left.
   */
  bool give_up;
} bq_nack_options;

/**
 * A failure of a batch.
 */
typedef struct bq_nack {
  /**
   * Of the delivery that failed.
   */
  struct bq_receipt receipt;
  /**
   * How, or NULL. Failures may share it.
   */
  const struct bq_nack_options *options;
} bq_nack;

/**
 * A delivery of a batch to put back.
 */
typedef struct bq_deferral {
  /**
   * Of the delivery.
   */
  struct bq_receipt receipt;
  /**
   * For how long.
   */
  int64_t delay_ms;
} bq_deferral;

/**
 * An operation that is over. What it points to, except for the handles, lives until the next bq_completions_wait
 * on the same object, or until that is freed.
 */
typedef struct bq_completion {
  /**
   * The number that the operation was started with.
   */
  uint64_t tag;
  /**
   * 0, or what it was refused with.
   */
  bq_status status;
  /**
   * It was cancelled before its answer came. The status is 0, and there is no answer.
   */
  bool cancelled;
  /**
   * Why it was refused, or NULL. It belongs to the receiver: free it.
   */
  struct bq_error *error;
  /**
   * Of a claim. It belongs to the receiver: free it. If nobody wants it any more, call bq_deliveries_release
   * before.
   */
  struct bq_deliveries *deliveries;
  /**
   * Of a result that was waited for. It belongs to the receiver: free it.
   */
  struct bq_text *text;
  /**
   * Of a claim: `count` deliveries, which live as long as `deliveries`.
   */
  const struct bq_delivery *items;
  /**
   * Of a publish: the answers to `count` messages.
   */
  const struct bq_published *published;
  /**
   * Of an ack and its like: the answers to `count` receipts.
   */
  const struct bq_settled *settled;
  /**
   * How many of them.
   */
  size_t count;
} bq_completion;

/**
 * How far a backup is: bytes of the copy that are written, and bytes that it will have at most. It is called on a
 * thread of the backup's own, several times a second, and must not use the queue, throw or unwind.
 */
typedef void (*bq_progress)(uint64_t bytes_done, uint64_t bytes_total, void *user);

/**
 * A value of a statement.
 */
typedef struct bq_value {
  /**
   * One of bq_value_kind; it says which of the others counts.
   */
  int32_t kind;
  /**
   * A whole number.
   */
  int64_t integer;
  /**
   * A number with a fraction.
   */
  double real;
  /**
   * A text, or bytes.
   */
  struct bq_slice bytes;
} bq_value;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The release of the library, such as "0.1.0". The text lives as long as the library.
 */
const char *bq_version(void);

/**
 * The version of the ABI that the library has.
 */
uint32_t bq_abi_version(void);

/**
 * Fails with `invalid_argument` unless the library has this version of the ABI. Call it once, with
 * BQ_ABI_VERSION, in programs that load the library at run time.
 */
bq_status bq_abi_check(uint32_t version, struct bq_error **error);

/**
 * The stable code of a status, such as "lease_lost"; "ok" for 0, NULL for a number that is none. The text
 * lives as long as the library.
 */
const char *bq_status_code(bq_status status);

/**
 * Whether repeating a call with this status can help: one of bq_retry; BQ_RETRY_NEVER for 0 and for a number
 * that is none.
 */
int32_t bq_status_retry(bq_status status);

/**
 * The status that the failed function returned; 0 for NULL or what is no error.
 */
bq_status bq_error_status(struct bq_error *error);

/**
 * What went wrong, for people: UTF-8 with a zero behind it, which does not count in `len`. It names topics and
 * subscribers and never holds payloads. Valid until the error is freed. NULL for what is no error.
 *
 * `len` may be NULL.
 */
const char *bq_error_detail(struct bq_error *error, size_t *len);

/**
 * Which message of the batch was refused, from 0, for `idempotency_conflict` and `unique_conflict`; else -1.
 */
int64_t bq_error_index(struct bq_error *error);

/**
 * Frees an error. NULL is allowed; what was freed already gives `invalid_argument`.
 */
bq_status bq_error_free(struct bq_error *error);

/**
 * The text: UTF-8 with a zero behind it, which does not count in `len`. Valid until the text is freed. NULL for
 * what is no text. `len` may be NULL.
 */
const char *bq_text_data(struct bq_text *text, size_t *len);

/**
 * Frees a text. NULL is allowed.
 */
bq_status bq_text_free(struct bq_text *text);

/**
 * Writes the text of an id, such as "01908e5f-7c3a-8000-8000-0123456789ab": 36 characters and a zero.
 *
 * `buffer` has room for 37 characters. Errors: `invalid_argument`.
 */
bq_status bq_id_text(const struct bq_id *id, char *buffer, struct bq_error **error);

/**
 * Reads the text of an id. Errors: `invalid_argument`.
 */
bq_status bq_id_parse(const char *data, size_t len, struct bq_id *id, struct bq_error **error);

/**
 * Writes the text of a receipt, up to 130 URL-safe characters and a zero, and its length without the zero to
 * `len`, which may be NULL.
 *
 * `buffer` has room for `capacity` characters; 131 are always enough. Errors: `invalid_argument`,
 * `invalid_receipt`.
 */
bq_status bq_receipt_text(const struct bq_receipt *receipt,
                          char *buffer,
                          size_t capacity,
                          size_t *len,
                          struct bq_error **error);

/**
 * Reads the text of a receipt. Errors: `invalid_argument`, `invalid_receipt`.
 */
bq_status bq_receipt_parse(const char *data, size_t len, struct bq_receipt *receipt, struct bq_error **error);

/**
 * Opens the queue in this file, and creates the file if there is none; ":memory:" is a queue that lives and
 * dies with the handle. A path is bytes, as the system takes them. Blocks until the file is open.
 *
 * Opening a file again that this process has open, with the same options, is cheap: the handles share one engine.
 *
 * `options` may be NULL. `queue` gets a handle that belongs to the caller: free it with bq_queue_free.
 *
 * Errors: `cannot_open`, `read_only`, `not_a_database`, `corrupt`, `newer_schema`, `locked`, `disk_full`,
 * `foreign_sqlite`, `invalid_argument`, `limit_exceeded`.
 */
bq_status bq_queue_open(const char *path,
                        size_t path_len,
                        const struct bq_open_options *options,
                        struct bq_queue **queue,
                        struct bq_error **error);

/**
 * Finishes what was handed over, answers waiting claims with `shutdown`, and closes the file if no other handle of
 * this process has it open. Blocks until that is done. Any thread may call it, also while others use the queue: their calls, and later ones, fail with
 * `shutdown`. The handle stays; a second shutdown succeeds.
 *
 * Errors: `forked`, `in_transaction`.
 */
bq_status bq_queue_shutdown(struct bq_queue *queue,
                            struct bq_error **error);

/**
 * Frees the handle. Calls that other threads have under way go on to their end. A queue that was not shut down
 * is, without waiting for it: call bq_queue_shutdown first if the file must be closed, or the queue's thread
 * be gone, when you go on. NULL is allowed.
 */
bq_status bq_queue_free(struct bq_queue *queue);

/**
 * Makes a token. It belongs to the caller: free it with bq_token_free. Errors: `invalid_argument`.
 */
bq_status bq_token_new(struct bq_token **token, struct bq_error **error);

/**
 * Ends all waits that have this token, now and later, as if their time were over. Any thread may call it, and
 * more than once. What a claim got at that very moment is answered, or given back at once: nothing is lost.
 *
 * Errors: `invalid_argument`.
 */
bq_status bq_token_cancel(struct bq_token *token, struct bq_error **error);

/**
 * Frees a token. Calls that wait with it wait on, and nobody can cancel them any more. NULL is allowed.
 */
bq_status bq_token_free(struct bq_token *token);

/**
 * Publishes a message: every subscriber of the topic gets it. Blocks until it is on disk.
 *
 * `options` may be NULL: a plain message. `published` may be NULL. Everything is copied.
 *
 * Errors: `unknown_topic`, `invalid_argument`, `limit_exceeded`, `backlog_full`, `idempotency_conflict`,
 * `unique_conflict`, `busy`, `disk_full`, `outcome_unknown`, `shutdown`.
 */
bq_status bq_queue_publish(struct bq_queue *queue,
                           const char *topic,
                           size_t topic_len,
                           const void *payload,
                           size_t payload_len,
                           const struct bq_message_options *options,
                           struct bq_published *published,
                           struct bq_error **error);

/**
 * Publishes 1 to 1,000 messages, all or none, in order. Blocks until they are on disk.
 *
 * `published` is NULL or an array of `count`.
 *
 * Errors: as bq_queue_publish; bq_error_index tells which message has the conflict.
 */
bq_status bq_queue_publish_batch(struct bq_queue *queue,
                                 const char *topic,
                                 size_t topic_len,
                                 const struct bq_message *messages,
                                 size_t count,
                                 struct bq_published *published,
                                 struct bq_error **error);

/**
 * As bq_queue_publish_batch, for payloads that lie in one piece of memory, one behind the other, and differ in
 * nothing else: `lengths` has the length of each, and `options`, which may be NULL, is that of all. Cheaper
 * where every pointer that is passed costs something.
 *
 * Errors: as bq_queue_publish_batch; `invalid_argument` if the lengths do not add up to `data_len`.
 */
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

/**
 * Stores where the deliveries are and how many. They live until bq_deliveries_free.
 *
 * Errors: `invalid_argument`.
 */
bq_status bq_deliveries_items(struct bq_deliveries *deliveries,
                              const struct bq_delivery **items,
                              size_t *count,
                              struct bq_error **error);

/**
 * Acks all of them: done. Blocks until that is on disk. `results` is NULL or an array with a place for each; if
 * it is NULL, the call fails with the error of the first that could not be acked, the others are.
 *
 * Errors: `lease_lost`, `shutdown`, `invalid_argument`.
 */
bq_status bq_deliveries_ack(struct bq_queue *queue,
                            struct bq_deliveries *deliveries,
                            struct bq_settled *results,
                            struct bq_error **error);

/**
 * Gives all of them back, as if they had not been claimed: others can claim them at once, and the attempt does
 * not count. For a consumer that has to go. What was settled meanwhile is left alone. Blocks until that is
 * on disk.
 *
 * Errors: `shutdown`, `invalid_argument`.
 */
bq_status bq_deliveries_release(struct bq_queue *queue, struct bq_deliveries *deliveries, struct bq_error **error);

/**
 * Frees the batch and all that its items point to. NULL is allowed.
 */
bq_status bq_deliveries_free(struct bq_deliveries *deliveries);

/**
 * Leases deliveries of one subscriber to the caller; none is no error. Blocks until there are some, or the time
 * to wait is over, or the token is cancelled, or the queue is shut down. The transaction that publishes wakes
 * it: there is no polling.
 *
 * `options` may be NULL. `token` may be NULL. `deliveries` gets a handle in any case of success, also if there
 * are none: free it with bq_deliveries_free.
 *
 * Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `limit_exceeded`, `busy`, `shutdown`.
 */
bq_status bq_queue_claim(struct bq_queue *queue,
                         const char *topic,
                         size_t topic_len,
                         const char *subscriber,
                         size_t subscriber_len,
                         const struct bq_claim_options *options,
                         struct bq_token *token,
                         struct bq_deliveries **deliveries,
                         struct bq_error **error);

/**
 * As bq_queue_claim, from the first of these subscribers that has any, up to 100. They are looked at in the
 * order given, so an earlier one may starve a later one.
 */
bq_status bq_queue_claim_any(struct bq_queue *queue,
                             const struct bq_source *sources,
                             size_t source_count,
                             const struct bq_claim_options *options,
                             struct bq_token *token,
                             struct bq_deliveries **deliveries,
                             struct bq_error **error);

/**
 * Settles a delivery: done. Blocks until that is on disk, as everything in this part does.
 *
 * Errors: `lease_lost`, `invalid_receipt`, `shutdown`.
 */
bq_status bq_queue_ack(struct bq_queue *queue, const struct bq_receipt *receipt, struct bq_error **error);

/**
 * Settles a delivery, and stores a reply for whoever waits for the message's result: up to 1 MiB, kept for
 * `ttl_ms`, which is 1 h if 0, and at most 31 days. `content_type` may be NULL.
 *
 * Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `limit_exceeded`, `shutdown`.
 */
bq_status bq_queue_ack_with_result(struct bq_queue *queue,
                                   const struct bq_receipt *receipt,
                                   const void *payload,
                                   size_t payload_len,
                                   const char *content_type,
                                   size_t content_type_len,
                                   int64_t ttl_ms,
                                   struct bq_error **error);

/**
 * Settles up to 1,000 deliveries and answers for each. `results` is NULL or an array of `count`; if it is NULL,
 * the call fails with the error of the first that was refused, the others are settled.
 *
 * Errors: `invalid_argument`, `limit_exceeded`, `invalid_receipt`, `shutdown`; and `lease_lost` for each.
 */
bq_status bq_queue_ack_batch(struct bq_queue *queue,
                             const struct bq_receipt *receipts,
                             size_t count,
                             struct bq_settled *results,
                             struct bq_error **error);

/**
 * Reports a failure: the delivery waits for its next attempt, or becomes a dead letter. `options` may be NULL,
 * and so may `result`, which gets what it led to.
 *
 * Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
 */
bq_status bq_queue_nack(struct bq_queue *queue,
                        const struct bq_receipt *receipt,
                        const struct bq_nack_options *options,
                        struct bq_settled *result,
                        struct bq_error **error);

/**
 * Reports up to 1,000 failures and answers for each, as bq_queue_ack_batch does.
 */
bq_status bq_queue_nack_batch(struct bq_queue *queue,
                              const struct bq_nack *nacks,
                              size_t count,
                              struct bq_settled *results,
                              struct bq_error **error);

/**
 * Makes the lease last until this long after now: 1 ms to 12 h. `result` may be NULL; it gets the new expiry.
 *
 * Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
 */
bq_status bq_queue_extend(struct bq_queue *queue,
                          const struct bq_receipt *receipt,
                          int64_t lease_ms,
                          struct bq_settled *result,
                          struct bq_error **error);

/**
 * Extends up to 1,000 leases and answers for each, as bq_queue_ack_batch does.
 */
bq_status bq_queue_extend_batch(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                int64_t lease_ms,
                                struct bq_settled *results,
                                struct bq_error **error);

/**
 * Puts a delivery back for this long, or for others at once if it is 0. The attempt does not count. `result`
 * may be NULL; it gets when it can be claimed again.
 *
 * Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
 */
bq_status bq_queue_defer(struct bq_queue *queue,
                         const struct bq_receipt *receipt,
                         int64_t delay_ms,
                         struct bq_settled *result,
                         struct bq_error **error);

/**
 * Puts up to 1,000 deliveries back and answers for each, as bq_queue_ack_batch does.
 */
bq_status bq_queue_defer_batch(struct bq_queue *queue,
                               const struct bq_deferral *deferrals,
                               size_t count,
                               struct bq_settled *results,
                               struct bq_error **error);

/**
 * Ends a leased delivery for good, as if it had been acked, and keeps the reason, if not NULL, with its failures.
 *
 * Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
 */
bq_status bq_queue_cancel(struct bq_queue *queue,
                          const struct bq_receipt *receipt,
                          const char *reason,
                          size_t reason_len,
                          struct bq_error **error);

/**
 * Ends up to 1,000 leased deliveries for good and answers for each, as bq_queue_ack_batch does.
 */
bq_status bq_queue_cancel_batch(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                const char *reason,
                                size_t reason_len,
                                struct bq_settled *results,
                                struct bq_error **error);

/**
 * Makes an object for completions. It belongs to the caller: free it with bq_completions_free. With
 * `descriptor`, it has a descriptor that an event loop can watch, on systems that have such.
 *
 * Errors: `io`, `invalid_argument`.
 */
bq_status bq_completions_new(bool descriptor, struct bq_completions **completions, struct bq_error **error);

/**
 * The descriptor that is readable while something has news: watch it, and call bq_completions_wait with a time of
 * 0 when it is. Do not read it and do not close it. -1 if there is none.
 */
int32_t bq_completions_descriptor(struct bq_completions *completions);

/**
 * Waits until something is over, and stores up to `capacity` completions and their count. Blocks for up to
 * `timeout_ms`; 0: not at all, below 0: for ever. None in time is no error.
 *
 * One thread at a time may call it; what the completions of its last call point to ends here.
 *
 * Errors: `invalid_argument`; `shutdown` if the object was freed meanwhile.
 */
bq_status bq_completions_wait(struct bq_completions *completions,
                              int64_t timeout_ms,
                              struct bq_completion *items,
                              size_t capacity,
                              size_t *count,
                              struct bq_error **error);

/**
 * Ends the wait of a claim, or for a result, that was started with this tag, as if its time were over: its
 * completion says `cancelled`, or has the answer that came first. What a claim got at that very moment is given
 * back. Other operations are not undone, and go on to their completion. A tag that is not under way is no
 * error. Any thread may call it.
 *
 * Errors: `invalid_argument`.
 */
bq_status bq_completions_cancel(struct bq_completions *completions, uint64_t tag, struct bq_error **error);

/**
 * Frees the object; whoever waits for completions gets `shutdown`. Claims that are under way are given back,
 * other operations go on, and nobody hears of them. NULL is allowed.
 */
bq_status bq_completions_free(struct bq_completions *completions);

/**
 * Starts bq_queue_publish_batch: the messages are copied, and the completion with this tag has their answers.
 * Does not block. The tag is any number that no other operation under way on these completions has.
 *
 * Errors, here or in the completion: those of bq_queue_publish_batch; here `invalid_argument` for the tag.
 */
bq_status bq_queue_publish_start(struct bq_queue *queue,
                                 const char *topic,
                                 size_t topic_len,
                                 const struct bq_message *messages,
                                 size_t count,
                                 struct bq_completions *completions,
                                 uint64_t tag,
                                 struct bq_error **error);

/**
 * Starts bq_queue_publish_packed, as bq_queue_publish_start does; one payload is a batch of one.
 */
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

/**
 * Starts bq_queue_claim: the completion has the deliveries, perhaps none. Does not block, however long the
 * claim waits: bq_completions_cancel ends the wait.
 *
 * Errors, here or in the completion: those of bq_queue_claim; here `invalid_argument` for the tag.
 */
bq_status bq_queue_claim_start(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               const struct bq_claim_options *options,
                               struct bq_completions *completions,
                               uint64_t tag,
                               struct bq_error **error);

/**
 * Starts bq_queue_claim_any, as bq_queue_claim_start does.
 */
bq_status bq_queue_claim_any_start(struct bq_queue *queue,
                                   const struct bq_source *sources,
                                   size_t source_count,
                                   const struct bq_claim_options *options,
                                   struct bq_completions *completions,
                                   uint64_t tag,
                                   struct bq_error **error);

/**
 * Starts bq_queue_ack_batch: the completion has an answer for each receipt. Does not block.
 *
 * Errors, here or in the completion: those of bq_queue_ack_batch; here `invalid_argument` for the tag.
 */
bq_status bq_queue_ack_start(struct bq_queue *queue,
                             const struct bq_receipt *receipts,
                             size_t count,
                             struct bq_completions *completions,
                             uint64_t tag,
                             struct bq_error **error);

/**
 * Starts bq_queue_nack_batch, as bq_queue_ack_start does.
 */
bq_status bq_queue_nack_start(struct bq_queue *queue,
                              const struct bq_nack *nacks,
                              size_t count,
                              struct bq_completions *completions,
                              uint64_t tag,
                              struct bq_error **error);

/**
 * Starts bq_queue_extend_batch, as bq_queue_ack_start does.
 */
bq_status bq_queue_extend_start(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                int64_t lease_ms,
                                struct bq_completions *completions,
                                uint64_t tag,
                                struct bq_error **error);

/**
 * Starts bq_queue_defer_batch, as bq_queue_ack_start does.
 */
bq_status bq_queue_defer_start(struct bq_queue *queue,
                               const struct bq_deferral *deferrals,
                               size_t count,
                               struct bq_completions *completions,
                               uint64_t tag,
                               struct bq_error **error);

/**
 * Starts bq_queue_cancel_batch, as bq_queue_ack_start does.
 */
bq_status bq_queue_cancel_start(struct bq_queue *queue,
                                const struct bq_receipt *receipts,
                                size_t count,
                                const char *reason,
                                size_t reason_len,
                                struct bq_completions *completions,
                                uint64_t tag,
                                struct bq_error **error);

/**
 * Starts bq_result_get: the completion has its text. Does not block: bq_completions_cancel ends the wait.
 *
 * Errors, here or in the completion: those of bq_result_get; here `invalid_argument` for the tag.
 */
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

/**
 * What came of a message for one subscriber, as JSON: {"state": "replied" | "settled" | "dead_lettered" |
 * "unsettled"}, and of a reply also payload_base64, payload if it is text, content_type, replied_at, expires_at.
 * Blocks for up to `wait_ms`, at most 1 h, until it is not "unsettled", or until the token is cancelled.
 *
 * `token` may be NULL. Errors: `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument`,
 * `shutdown`.
 */
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

/**
 * Creates a topic, perhaps together with its first subscribers. `settings` is NULL or JSON:
 * {"options": OPTIONS, "subscribers": [{"name": TEXT, "options": OPTIONS, "start": "now" | "earliest" | {"at": T}}]}.
 * `answer` may be NULL; it gets the topic as JSON.
 *
 * Errors: `topic_exists`, `invalid_argument`, `limit_exceeded`, `shutdown`.
 */
bq_status bq_topic_create(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *settings,
                          size_t settings_len,
                          struct bq_text **answer,
                          struct bq_error **error);

/**
 * A topic as JSON. Errors: `unknown_topic`, `shutdown`.
 */
bq_status bq_topic_get(struct bq_queue *queue,
                       const char *topic,
                       size_t topic_len,
                       struct bq_text **answer,
                       struct bq_error **error);

/**
 * A page of topics by name, as JSON: {"items": [...], "next": TEXT or null}. `limit` is up to 1,000, or 0 for 100;
 * `after` is NULL, or `next` of the page before. Errors: `invalid_argument`, `shutdown`.
 */
bq_status bq_topic_list(struct bq_queue *queue,
                        size_t limit,
                        const char *after,
                        size_t after_len,
                        struct bq_text **answer,
                        struct bq_error **error);

/**
 * Changes the settings of a topic. `settings` is JSON: OPTIONS; what it does not name stays. `answer` may be NULL; it
 * gets the topic as JSON. Errors: `unknown_topic`, `invalid_argument`, `shutdown`.
 */
bq_status bq_topic_update(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *settings,
                          size_t settings_len,
                          struct bq_text **answer,
                          struct bq_error **error);

/**
 * Deletes a topic with its messages, subscribers and schedules. Waiting claims get `unknown_topic`.
 * Errors: `unknown_topic`, `shutdown`.
 */
bq_status bq_topic_delete(struct bq_queue *queue, const char *topic, size_t topic_len, struct bq_error **error);

/**
 * Stops claims on all subscribers of a topic: they wait as on an empty one. Errors: `unknown_topic`, `shutdown`.
 */
bq_status bq_topic_pause(struct bq_queue *queue, const char *topic, size_t topic_len, struct bq_error **error);

/**
 * Lets claims go on. Errors: `unknown_topic`, `shutdown`.
 */
bq_status bq_topic_resume(struct bq_queue *queue, const char *topic, size_t topic_len, struct bq_error **error);

/**
 * A topic in numbers, with its subscribers, as JSON. Costs the same whatever the backlog.
 * Errors: `unknown_topic`, `shutdown`.
 */
bq_status bq_topic_stats(struct bq_queue *queue,
                         const char *topic,
                         size_t topic_len,
                         struct bq_text **answer,
                         struct bq_error **error);

/**
 * Creates up to 1,000 subscribers of a topic: all or none. `settings` is JSON, a list as for bq_topic_create. `answer`
 * may be NULL; it gets the list of subscribers as JSON.
 *
 * Errors: `unknown_topic`, `subscriber_exists`, `invalid_argument`, `limit_exceeded`, `shutdown`.
 */
bq_status bq_subscriber_create(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *settings,
                               size_t settings_len,
                               struct bq_text **answer,
                               struct bq_error **error);

/**
 * A subscriber as JSON. Errors: `unknown_topic`, `unknown_subscriber`, `shutdown`.
 */
bq_status bq_subscriber_get(struct bq_queue *queue,
                            const char *topic,
                            size_t topic_len,
                            const char *subscriber,
                            size_t subscriber_len,
                            struct bq_text **answer,
                            struct bq_error **error);

/**
 * A page of the subscribers of a topic by name, as bq_topic_list. Errors: `unknown_topic`, `invalid_argument`,
 * `shutdown`.
 */
bq_status bq_subscriber_list(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             size_t limit,
                             const char *after,
                             size_t after_len,
                             struct bq_text **answer,
                             struct bq_error **error);

/**
 * Changes the settings of a subscriber. `settings` is JSON: OPTIONS; what it does not name stays. `answer` may be NULL;
 * it gets the subscriber as JSON. Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `shutdown`.
 */
bq_status bq_subscriber_update(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               const char *settings,
                               size_t settings_len,
                               struct bq_text **answer,
                               struct bq_error **error);

/**
 * Deletes a subscriber with its deliveries. The name is free at once; receipts are lost; waiting claims get
 * `unknown_subscriber`. Errors: `unknown_topic`, `unknown_subscriber`, `shutdown`.
 */
bq_status bq_subscriber_delete(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               struct bq_error **error);

/**
 * Stops claims on the subscriber: they wait as on an empty topic. Errors: `unknown_topic`, `unknown_subscriber`,
 * `shutdown`.
 */
bq_status bq_subscriber_pause(struct bq_queue *queue,
                              const char *topic,
                              size_t topic_len,
                              const char *subscriber,
                              size_t subscriber_len,
                              struct bq_error **error);

/**
 * Lets claims go on. Errors: `unknown_topic`, `unknown_subscriber`, `shutdown`.
 */
bq_status bq_subscriber_resume(struct bq_queue *queue,
                               const char *topic,
                               size_t topic_len,
                               const char *subscriber,
                               size_t subscriber_len,
                               struct bq_error **error);

/**
 * A subscriber in numbers, as JSON. Costs the same whatever the backlog. Errors: `unknown_topic`,
 * `unknown_subscriber`, `shutdown`.
 */
bq_status bq_subscriber_stats(struct bq_queue *queue,
                              const char *topic,
                              size_t topic_len,
                              const char *subscriber,
                              size_t subscriber_len,
                              struct bq_text **answer,
                              struct bq_error **error);

/**
 * Moves a subscriber to another place of its topic. `to` is JSON: {"to": PLACE, "dry_run": false}, where PLACE is
 * "earliest", "latest", {"at": T}, {"message_id": ID} or {"sequence": {"priority": P, "sequence": N}}. Its leased and
 * retrying deliveries end and their receipts are lost. `answer` may be NULL; it gets, as JSON, {"clamped": BOOL,
 * "replayed_count": N, "skipped_count": N, "exact": BOOL}.
 *
 * Errors: `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument`, `shutdown`.
 */
bq_status bq_subscriber_seek(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *subscriber,
                             size_t subscriber_len,
                             const char *to,
                             size_t to_len,
                             struct bq_text **answer,
                             struct bq_error **error);

/**
 * A page of what the subscriber has before it or under way, without receipts, as JSON. Changes nothing.
 * Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `shutdown`.
 */
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

/**
 * A page of the dead letters of a subscriber, oldest first, as JSON. Errors: `unknown_topic`, `unknown_subscriber`,
 * `invalid_argument`, `shutdown`.
 */
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

/**
 * Gives dead letters all their attempts again. `options` is NULL, for all of them, or JSON: {"which": "all" |
 * {"oldest": N} | {"ids": [ID]}, "filter": CONDITION, "to": TOPIC, "rate": PER SECOND, "dry_run": false}. `answer` may
 * be NULL; it gets, as JSON, {"count": N}.
 *
 * Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `limit_exceeded`, `shutdown`.
 */
bq_status bq_dead_letters_redrive(struct bq_queue *queue,
                                  const char *topic,
                                  size_t topic_len,
                                  const char *subscriber,
                                  size_t subscriber_len,
                                  const char *options,
                                  size_t options_len,
                                  struct bq_text **answer,
                                  struct bq_error **error);

/**
 * Deletes dead letters. `options` is JSON: {"which" and "filter": as for bq_dead_letters_redrive, "dry_run": false}. `answer`
 * may be NULL; it gets, as JSON, {"count": N}.
 *
 * Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `limit_exceeded`, `shutdown`.
 */
bq_status bq_dead_letters_purge(struct bq_queue *queue,
                                const char *topic,
                                size_t topic_len,
                                const char *subscriber,
                                size_t subscriber_len,
                                const char *options,
                                size_t options_len,
                                struct bq_text **answer,
                                struct bq_error **error);

/**
 * A page of what went wrong with a message for a subscriber, as JSON. Errors: `unknown_topic`, `unknown_subscriber`,
 * `unknown_message`, `invalid_argument`, `shutdown`.
 */
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

/**
 * Creates a schedule, which publishes its message to the topic at each occurrence. `settings` is JSON: {"cron": TEXT,
 * "timezone": "UTC", "message": {"payload": TEXT or "payload_base64": TEXT, "content_type", "headers",
 * "correlation_id", "priority", "ordering_key", "ttl_ms"}, "misfire": "skip" | "once" | {"all": N}, "overlap": "allow" |
 * "skip" | "queue", "start_at": T, "end_at": T, "jitter_ms": N, "grace_ms": N}; only cron is needed. `answer` may be
 * NULL; it gets the schedule as JSON.
 *
 * Errors: `unknown_topic`, `schedule_exists`, `invalid_argument`, `limit_exceeded`, `shutdown`.
 */
bq_status bq_schedule_create(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *schedule,
                             size_t schedule_len,
                             const char *settings,
                             size_t settings_len,
                             struct bq_text **answer,
                             struct bq_error **error);

/**
 * A schedule as JSON. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
 */
bq_status bq_schedule_get(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *schedule,
                          size_t schedule_len,
                          struct bq_text **answer,
                          struct bq_error **error);

/**
 * A page of the schedules of a topic by name, as bq_topic_list. Errors: `unknown_topic`, `invalid_argument`,
 * `shutdown`.
 */
bq_status bq_schedule_list(struct bq_queue *queue,
                           const char *topic,
                           size_t topic_len,
                           size_t limit,
                           const char *after,
                           size_t after_len,
                           struct bq_text **answer,
                           struct bq_error **error);

/**
 * Replaces the settings of a schedule as a whole, if it still has this version. `answer` may be NULL; it gets the
 * schedule as JSON. Errors: `unknown_topic`, `unknown_schedule`, `stale_version`, `invalid_argument`,
 * `limit_exceeded`, `shutdown`.
 */
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

/**
 * Deletes a schedule. What it published stays. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
 */
bq_status bq_schedule_delete(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *schedule,
                             size_t schedule_len,
                             struct bq_error **error);

/**
 * Stops a schedule. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
 */
bq_status bq_schedule_pause(struct bq_queue *queue,
                            const char *topic,
                            size_t topic_len,
                            const char *schedule,
                            size_t schedule_len,
                            struct bq_error **error);

/**
 * Lets it go on, with the next occurrence from now. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
 */
bq_status bq_schedule_resume(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *schedule,
                             size_t schedule_len,
                             struct bq_error **error);

/**
 * Publishes the schedule's message now, whatever its times. `answer` may be NULL; it gets the entry of its history as
 * JSON. Errors: `unknown_topic`, `unknown_schedule`, `backlog_full`, `shutdown`.
 */
bq_status bq_schedule_run(struct bq_queue *queue,
                          const char *topic,
                          size_t topic_len,
                          const char *schedule,
                          size_t schedule_len,
                          struct bq_text **answer,
                          struct bq_error **error);

/**
 * A page of a schedule's history, newest first, as JSON. Errors: `unknown_topic`, `unknown_schedule`,
 * `invalid_argument`, `shutdown`.
 */
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

/**
 * A message and where it stands with every subscriber, as JSON. Errors: `unknown_topic`, `unknown_message`,
 * `shutdown`.
 */
bq_status bq_message_get(struct bq_queue *queue,
                         const char *topic,
                         size_t topic_len,
                         const struct bq_id *message_id,
                         struct bq_text **answer,
                         struct bq_error **error);

/**
 * Ends a message for every subscriber, whatever its state, also before its time. `answer` may be NULL; it gets where
 * it stood with each, as JSON. Errors: `unknown_topic`, `unknown_message`, `shutdown`.
 */
bq_status bq_message_cancel(struct bq_queue *queue,
                            const char *topic,
                            size_t topic_len,
                            const struct bq_id *message_id,
                            struct bq_text **answer,
                            struct bq_error **error);

/**
 * Ends a message for one subscriber, whatever its state, without a receipt, and keeps the reason, if not NULL, with
 * its failures.
 * Errors: `unknown_topic`, `unknown_subscriber`, `unknown_message`, `shutdown`.
 */
bq_status bq_delivery_cancel(struct bq_queue *queue,
                             const char *topic,
                             size_t topic_len,
                             const char *subscriber,
                             size_t subscriber_len,
                             const struct bq_id *message_id,
                             const char *reason,
                             size_t reason_len,
                             struct bq_error **error);

/**
 * What the engine of this process has done since the queue was opened, in numbers, as JSON. Errors: `shutdown`.
 */
bq_status bq_queue_stats(struct bq_queue *queue, struct bq_text **answer, struct bq_error **error);

/**
 * Examines the file, and says what is wrong and what could be better, as JSON. Blocks while it reads all of the
 * file. Errors: `shutdown`, `io`.
 */
bq_status bq_queue_diagnose(struct bq_queue *queue, struct bq_text **answer, struct bq_error **error);

/**
 * Writes a verified copy of the queue to a new file, while others use it. Blocks until the copy is there.
 * `progress` may be NULL; `user` is passed to it, and must stay valid until this returns.
 *
 * Errors: `cannot_open` if the file exists or cannot be made, `disk_full`, `io`, `corrupt`, `shutdown`,
 * `invalid_argument`.
 */
bq_status bq_queue_backup(struct bq_queue *queue,
                          const char *path,
                          size_t path_len,
                          bq_progress progress,
                          void *user,
                          struct bq_error **error);

/**
 * Begins a transaction. Blocks until those before it have ended. It is rolled back if it is not committed after
 * `deadline_ms`, which is 5 s if 0, and at most 1 min.
 *
 * With `thread_bound`, other calls of the queue by the thread that uses the transaction fail with
 * `in_transaction` instead of waiting for themselves until the deadline; pass false if what you call a task may
 * change its thread. `transaction` gets a handle that belongs to the caller: free it with bq_transaction_free.
 *
 * Errors: `invalid_argument`, `locked`, `in_transaction`, `shutdown`.
 */
bq_status bq_transaction_begin(struct bq_queue *queue,
                               int64_t deadline_ms,
                               bool thread_bound,
                               struct bq_transaction **transaction,
                               struct bq_error **error);

/**
 * Runs one statement; `changed`, which may be NULL, gets how many rows it changed. It may use any table but the
 * queue's own, and may not begin or end transactions, use savepoints, pragmas, other files or temporary objects.
 *
 * Errors: `sql_failed`, `disk_full`, `transaction_ended`, `invalid_argument`.
 */
bq_status bq_transaction_execute(struct bq_transaction *transaction,
                                 const char *sql,
                                 size_t sql_len,
                                 const struct bq_value *values,
                                 size_t value_count,
                                 uint64_t *changed,
                                 struct bq_error **error);

/**
 * Runs one statement; `answer` gets its rows, as JSON: {"columns": [TEXT], "rows": [[VALUE]]}, where a value is
 * null, a number, a text, or {"base64": TEXT} for bytes. At most 100,000 rows and 64 MiB of them.
 *
 * Errors: as bq_transaction_execute, and `limit_exceeded`.
 */
bq_status bq_transaction_query(struct bq_transaction *transaction,
                               const char *sql,
                               size_t sql_len,
                               const struct bq_value *values,
                               size_t value_count,
                               struct bq_text **answer,
                               struct bq_error **error);

/**
 * Publishes a message, as bq_queue_publish; its id is known at once.
 *
 * Errors: those of bq_queue_publish, and `transaction_ended`.
 */
bq_status bq_transaction_publish(struct bq_transaction *transaction,
                                 const char *topic,
                                 size_t topic_len,
                                 const void *payload,
                                 size_t payload_len,
                                 const struct bq_message_options *options,
                                 struct bq_published *published,
                                 struct bq_error **error);

/**
 * Publishes 1 to 1,000 messages, as bq_queue_publish_batch.
 *
 * Errors: those of bq_queue_publish_batch, and `transaction_ended`.
 */
bq_status bq_transaction_publish_batch(struct bq_transaction *transaction,
                                       const char *topic,
                                       size_t topic_len,
                                       const struct bq_message *messages,
                                       size_t count,
                                       struct bq_published *published,
                                       struct bq_error **error);

/**
 * Settles a delivery: done. Errors: `lease_lost`, `invalid_receipt`, `transaction_ended`.
 */
bq_status bq_transaction_ack(struct bq_transaction *transaction,
                             const struct bq_receipt *receipt,
                             struct bq_error **error);

/**
 * Reports a failure, as bq_queue_nack. Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`,
 * `transaction_ended`.
 */
bq_status bq_transaction_nack(struct bq_transaction *transaction,
                              const struct bq_receipt *receipt,
                              const struct bq_nack_options *options,
                              struct bq_settled *result,
                              struct bq_error **error);

/**
 * Makes the lease last until this long after the transaction began, as bq_queue_extend. Errors: `lease_lost`,
 * `invalid_receipt`, `invalid_argument`, `transaction_ended`.
 */
bq_status bq_transaction_extend(struct bq_transaction *transaction,
                                const struct bq_receipt *receipt,
                                int64_t lease_ms,
                                struct bq_settled *result,
                                struct bq_error **error);

/**
 * Puts a delivery back, as bq_queue_defer. Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`,
 * `transaction_ended`.
 */
bq_status bq_transaction_defer(struct bq_transaction *transaction,
                               const struct bq_receipt *receipt,
                               int64_t delay_ms,
                               struct bq_settled *result,
                               struct bq_error **error);

/**
 * Ends a leased delivery for good, as bq_queue_cancel. Errors: `lease_lost`, `invalid_receipt`,
 * `transaction_ended`.
 */
bq_status bq_transaction_cancel(struct bq_transaction *transaction,
                                const struct bq_receipt *receipt,
                                const char *reason,
                                size_t reason_len,
                                struct bq_error **error);

/**
 * Ends a message for every subscriber, as bq_message_cancel. Errors: `unknown_topic`, `unknown_message`,
 * `transaction_ended`.
 */
bq_status bq_transaction_message_cancel(struct bq_transaction *transaction,
                                        const char *topic,
                                        size_t topic_len,
                                        const struct bq_id *message_id,
                                        struct bq_error **error);

/**
 * Makes all of it happen. Blocks until that is on disk. The handle stays, and is to be freed.
 *
 * Errors: `transaction_ended`, `outcome_unknown`, `disk_full`; nothing of it happened but perhaps with
 * `outcome_unknown`.
 */
bq_status bq_transaction_commit(struct bq_transaction *transaction, struct bq_error **error);

/**
 * Undoes all of it. The handle stays, and is to be freed. Errors: `transaction_ended`.
 */
bq_status bq_transaction_rollback(struct bq_transaction *transaction, struct bq_error **error);

/**
 * Frees a transaction; one that has not ended is rolled back, without waiting for it. NULL is allowed.
 */
bq_status bq_transaction_free(struct bq_transaction *transaction);

/**
 * Every bound of the queue, as a JSON object of numbers, with a zero behind it. The text lives as long as the
 * library.
 */
const char *bq_limits(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BLOCKQUEUE_H */

/**
 * Pointer and length of a text that stands in the source.
 */
#define BQ_LITERAL(text) (text), (sizeof(text) - 1)
