/* Waiting: for claims by threads and without, ended by a token, a cancellation, a shutdown. And transactions. */

#include <poll.h>
#include <pthread.h>

#include "check.h"

#define MINUTE 60000

static const bq_claim_options WAIT = {.size = sizeof(bq_claim_options), .limit = 1, .wait_ms = MINUTE};

typedef struct waiting {
    bq_queue *queue;
    bq_token *token;
    bq_status status;
    size_t count;
} waiting;

static void *claim(void *argument) {
    waiting *waiting = argument;
    bq_deliveries *deliveries;
    const bq_delivery *items;
    waiting->status = bq_queue_claim(waiting->queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &WAIT, waiting->token,
                                     &deliveries, NULL);
    if (waiting->status == BQ_OK) {
        OK(bq_deliveries_items(deliveries, &items, &waiting->count, NULL));
        OK(bq_deliveries_free(deliveries));
    }
    return NULL;
}

/* How many claims wait in the engine. */
static size_t waiting_claims(bq_queue *queue) {
    bq_text *text;
    OK(bq_queue_stats(queue, &text, NULL));
    size_t count = (size_t)atol(strstr(bq_text_data(text, NULL), "\"waiting_claims\":") + strlen("\"waiting_claims\":"));
    OK(bq_text_free(text));
    return count;
}

static void until_waiting(bq_queue *queue, size_t count) {
    int64_t deadline = now_ms() + 20000;
    while (waiting_claims(queue) != count) CHECK(now_ms() < deadline);
}

static void a_publish_answers_a_claim_that_waits(void) {
    bq_queue *queue = queue_with_topic();
    waiting waiting = {.queue = queue};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, claim, &waiting) == 0);
    until_waiting(queue, 1);
    publish_n(queue, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(waiting.status == BQ_OK && waiting.count == 1);
    close_queue(queue);
}

static void a_token_ends_the_waits_of_other_threads_and_takes_nothing(void) {
    enum { THREADS = 4 };
    bq_queue *queue = queue_with_topic();
    waiting waiting[THREADS];
    pthread_t threads[THREADS];
    bq_token *token;
    OK(bq_token_new(&token, NULL));
    for (int i = 0; i < THREADS; i++) {
        waiting[i] = (struct waiting){.queue = queue, .token = token};
        CHECK(pthread_create(&threads[i], NULL, claim, &waiting[i]) == 0);
    }
    until_waiting(queue, THREADS);
    int64_t since = now_ms();
    OK(bq_token_cancel(token, NULL));
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(waiting[i].status == BQ_OK && waiting[i].count == 0);
    }
    CHECK(now_ms() - since < 5000);
    publish_n(queue, 1);
    CHECK(ready_count(queue) == 1);
    /* It stays cancelled. */
    claim(&waiting[0]);
    OK(bq_token_free(token));
    close_queue(queue);
}

static void a_shutdown_ends_waits(void) {
    bq_queue *queue = queue_with_topic();
    waiting waiting = {.queue = queue};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, claim, &waiting) == 0);
    until_waiting(queue, 1);
    OK(bq_queue_shutdown(queue, NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(waiting.status == BQ_SHUTDOWN);
    OK(bq_queue_free(queue));
}

/* The next completion, which must come in time. */
static bq_completion next(bq_completions *completions) {
    bq_completion completion;
    size_t count;
    OK(bq_completions_wait(completions, 20000, &completion, 1, &count, NULL));
    CHECK(count == 1);
    return completion;
}

static void ten_thousand_claims_wait_without_a_thread_for_any(void) {
    enum { CLAIMS = 10000 };
    bq_queue *queue = queue_with_topic();
    bq_completions *completions;
    OK(bq_completions_new(false, &completions, NULL));
    for (uint64_t tag = 0; tag < CLAIMS; tag++) {
        OK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &WAIT, completions, tag, NULL));
    }
    until_waiting(queue, CLAIMS);
    size_t lengths[1000], answered = 0, cancelled = 0;
    for (size_t i = 0; i < 1000; i++) lengths[i] = 1;
    char data[1000] = {0};
    OK(bq_queue_publish_packed(queue, BQ_LITERAL("t"), data, sizeof data, lengths, 1000, NULL, NULL, NULL));
    bool over[CLAIMS] = {false};
    while (answered < 1000) {
        bq_completion batch[64];
        size_t count;
        OK(bq_completions_wait(completions, 20000, batch, 64, &count, NULL));
        CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            CHECK(batch[i].status == BQ_OK && batch[i].count == 1 && !over[batch[i].tag]);
            over[batch[i].tag] = true;
            OK(bq_deliveries_ack(queue, batch[i].deliveries, NULL, NULL));
            OK(bq_deliveries_free(batch[i].deliveries));
            answered++;
        }
    }
    for (uint64_t tag = 0; tag < CLAIMS; tag++) OK(bq_completions_cancel(completions, tag, NULL));
    while (cancelled < CLAIMS - 1000) {
        bq_completion completion = next(completions);
        CHECK(completion.cancelled && completion.deliveries == NULL && !over[completion.tag]);
        over[completion.tag] = true;
        cancelled++;
    }
    publish_n(queue, 1);
    OK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, completions, 0, NULL));
    bq_completion last = next(completions);
    CHECK(last.count == 1);
    OK(bq_deliveries_free(last.deliveries));
    OK(bq_completions_free(completions));
    close_queue(queue);
}

static void operations_that_are_started_have_their_answers(void) {
    bq_queue *queue = queue_with_topic();
    bq_completions *completions;
    bq_completion completion;
    bq_message messages[2] = {{{"a", 1}, NULL}, {{"b", 1}, NULL}};
    bq_receipt receipts[2];
    OK(bq_completions_new(true, &completions, NULL));
    OK(bq_queue_publish_start(queue, BQ_LITERAL("t"), messages, 2, completions, 1, NULL));
    completion = next(completions);
    CHECK(completion.tag == 1 && completion.count == 2 && completion.published[1].subscriber_count == 1);
    OK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, completions, 2, NULL));
    completion = next(completions);
    CHECK(completion.tag == 2 && completion.count == 2 && completion.items[1].payload.data[0] == 'b');
    for (int i = 0; i < 2; i++) receipts[i] = completion.items[i].receipt;
    bq_id id = completion.items[0].message_id;
    OK(bq_deliveries_free(completion.deliveries));
    OK(bq_queue_extend_start(queue, receipts, 2, MINUTE, completions, 3, NULL));
    completion = next(completions);
    CHECK(completion.count == 2 && completion.settled[0].status == BQ_OK && completion.settled[0].at_ms > 0);
    OK(bq_result_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &id, MINUTE, completions, 4, NULL));
    OK(bq_queue_ack_with_result(queue, &receipts[0], BQ_LITERAL("done"), NULL, 0, 0, NULL));
    completion = next(completions);
    CHECK(completion.tag == 4 && strstr(bq_text_data(completion.text, NULL), "\"replied\"") != NULL);
    OK(bq_text_free(completion.text));
    bq_nack nack = {receipts[1], NULL};
    OK(bq_queue_nack_start(queue, &nack, 1, completions, 5, NULL));
    completion = next(completions);
    CHECK(completion.settled[0].state == BQ_STATE_RETRYING);
    OK(bq_queue_ack_start(queue, receipts, 2, completions, 6, NULL));
    completion = next(completions);
    CHECK(completion.count == 2 && completion.settled[1].status == BQ_LEASE_LOST);
    OK(bq_queue_claim_start(queue, BQ_LITERAL("none"), BQ_LITERAL("s"), NULL, completions, 7, NULL));
    completion = next(completions);
    CHECK(completion.status == BQ_UNKNOWN_TOPIC && bq_error_status(completion.error) == BQ_UNKNOWN_TOPIC);
    OK(bq_error_free(completion.error));
    OK(bq_completions_free(completions));
    close_queue(queue);
}

static void a_tag_belongs_to_one_operation_at_a_time(void) {
    bq_queue *queue = queue_with_topic();
    bq_completions *completions;
    size_t count;
    bq_completion completion;
    OK(bq_completions_new(false, &completions, NULL));
    OK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &WAIT, completions, 1, NULL));
    CHECK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &WAIT, completions, 1, NULL) ==
          BQ_INVALID_ARGUMENT);
    /* What is refused for its tag is not done. */
    bq_message message = {{"x", 1}, NULL};
    OK(bq_topic_create(queue, BQ_LITERAL("u"), BQ_LITERAL("{\"subscribers\": [{\"name\": \"s\"}]}"), NULL, NULL));
    CHECK(bq_queue_publish_start(queue, BQ_LITERAL("u"), &message, 1, completions, 1, NULL) == BQ_INVALID_ARGUMENT);
    bq_text *stats;
    OK(bq_topic_stats(queue, BQ_LITERAL("u"), &stats, NULL));
    CHECK(strstr(bq_text_data(stats, NULL), "\"published_count\":0,") != NULL);
    OK(bq_text_free(stats));
    OK(bq_completions_wait(completions, 0, &completion, 1, &count, NULL));
    CHECK(count == 0);
    CHECK(bq_completions_wait(completions, 0, &completion, 0, &count, NULL) == BQ_INVALID_ARGUMENT);
    OK(bq_completions_cancel(completions, 1, NULL));
    OK(bq_completions_cancel(completions, 1, NULL));
    OK(bq_completions_cancel(completions, 99, NULL));
    CHECK(next(completions).cancelled);
    OK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, completions, 1, NULL));
    OK(bq_deliveries_free(next(completions).deliveries));
    OK(bq_completions_free(completions));
    close_queue(queue);
}

static void a_descriptor_is_readable_while_there_is_news(void) {
    bq_queue *queue = queue_with_topic();
    bq_completions *completions;
    bq_completion completion;
    size_t count;
    OK(bq_completions_new(true, &completions, NULL));
    struct pollfd watched = {.fd = bq_completions_descriptor(completions), .events = POLLIN};
    CHECK(watched.fd >= 0 && poll(&watched, 1, 0) == 0);
    /* Many rounds: the answers come at any moment of the call that takes them. */
    for (int round = 0; round < 500; round++) {
        for (uint64_t tag = 0; tag < 3; tag++) {
            OK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &WAIT, completions, tag, NULL));
        }
        publish_n(queue, 3);
        for (int i = 0; i < 3; i++) {
            CHECK(poll(&watched, 1, 20000) == 1);
            count = 0;
            while (count == 0) OK(bq_completions_wait(completions, 0, &completion, 1, &count, NULL));
            OK(bq_deliveries_free(completion.deliveries));
        }
        CHECK(poll(&watched, 1, 0) == 0);
    }
    OK(bq_completions_free(completions));
    close_queue(queue);
}

static void what_nobody_takes_is_given_back(void) {
    bq_queue *queue = queue_with_topic();
    bq_completions *completions;
    bq_deliveries *deliveries;
    publish_n(queue, 3);
    OK(bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, NULL, &deliveries, NULL));
    CHECK(ready_count(queue) == 0);
    OK(bq_deliveries_release(queue, deliveries, NULL));
    OK(bq_deliveries_release(queue, deliveries, NULL));
    OK(bq_deliveries_free(deliveries));
    CHECK(ready_count(queue) == 3);
    OK(bq_completions_new(false, &completions, NULL));
    OK(bq_queue_claim_start(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, completions, 1, NULL));
    int64_t deadline = now_ms() + 20000;
    while (ready_count(queue) != 0) CHECK(now_ms() < deadline);
    OK(bq_completions_free(completions));
    while (ready_count(queue) != 3) CHECK(now_ms() < deadline);
    close_queue(queue);
}

static void *wait_for_completions(void *argument) {
    static bq_status status;
    bq_completion completion;
    size_t count;
    status = bq_completions_wait(argument, -1, &completion, 1, &count, NULL);
    return &status;
}

static void freeing_completions_ends_the_wait_for_them(void) {
    bq_completions *completions;
    pthread_t thread;
    void *status;
    OK(bq_completions_new(false, &completions, NULL));
    CHECK(pthread_create(&thread, NULL, wait_for_completions, completions) == 0);
    OK(bq_completions_free(completions));
    CHECK(pthread_join(thread, &status) == 0);
    /* It may come too late to begin. */
    CHECK(*(bq_status *)status == BQ_SHUTDOWN || *(bq_status *)status == BQ_INVALID_ARGUMENT);
}

static void a_transaction_is_all_or_nothing(bool thread_bound) {
    bq_queue *queue = queue_with_topic();
    bq_transaction *transaction;
    bq_text *rows;
    uint64_t changed;
    bq_value values[] = {{.kind = BQ_VALUE_INTEGER, .integer = INT64_MAX}, {.kind = BQ_VALUE_TEXT, .bytes = {"tea", 3}},
                         {.kind = BQ_VALUE_BLOB, .bytes = {"\0\1", 2}}, {.kind = BQ_VALUE_REAL, .real = 0.5}, {0}};
    OK(bq_transaction_begin(queue, 0, thread_bound, &transaction, NULL));
    OK(bq_transaction_execute(transaction, BQ_LITERAL("CREATE TABLE o (a, b, c, d, e)"), NULL, 0, NULL, NULL));
    OK(bq_transaction_execute(transaction, BQ_LITERAL("INSERT INTO o VALUES (?1, ?2, ?3, ?4, ?5)"), values, 5, &changed,
                              NULL));
    CHECK(changed == 1);
    OK(bq_transaction_publish(transaction, BQ_LITERAL("t"), BQ_LITERAL("x"), NULL, NULL, NULL));
    if (thread_bound) {
        CHECK(bq_queue_publish(queue, BQ_LITERAL("t"), BQ_LITERAL("x"), NULL, NULL, NULL) == BQ_IN_TRANSACTION);
    }
    OK(bq_transaction_commit(transaction, NULL));
    CHECK(bq_transaction_commit(transaction, NULL) == BQ_TRANSACTION_ENDED);
    OK(bq_transaction_free(transaction));
    CHECK(ready_count(queue) == 1);
    OK(bq_transaction_begin(queue, 0, thread_bound, &transaction, NULL));
    OK(bq_transaction_query(transaction, BQ_LITERAL("SELECT * FROM o"), NULL, 0, &rows, NULL));
    CHECK(strstr(bq_text_data(rows, NULL), "[9223372036854775807,\"tea\",{\"base64\":\"AAE=\"},0.5,null]") != NULL);
    OK(bq_text_free(rows));
    CHECK(bq_transaction_execute(transaction, BQ_LITERAL("nonsense"), NULL, 0, NULL, NULL) == BQ_SQL_FAILED);
    OK(bq_transaction_publish(transaction, BQ_LITERAL("t"), BQ_LITERAL("x"), NULL, NULL, NULL));
    OK(bq_transaction_free(transaction));
    CHECK(ready_count(queue) == 1);
    close_queue(queue);
}

static void tell(uint64_t done, uint64_t total, void *user) {
    CHECK(done <= total);
    *(uint64_t *)user = total;
}

static void a_backup_tells_how_far_it_is(void) {
    char path[] = "/tmp/blockqueue-backup-XXXXXX", to[64];
    CHECK(mkdtemp(path) != NULL);
    snprintf(to, sizeof to, "%s/copy.db", path);
    bq_queue *queue = queue_with_topic();
    uint64_t total = 0;
    OK(bq_queue_backup(queue, to, strlen(to), tell, &total, NULL));
    CHECK(total > 0);
    CHECK(bq_queue_backup(queue, to, strlen(to), NULL, NULL, NULL) == BQ_CANNOT_OPEN);
    CHECK(remove(to) == 0 && remove(path) == 0);
    bq_text *diagnosis;
    OK(bq_queue_diagnose(queue, &diagnosis, NULL));
    CHECK(strstr(bq_text_data(diagnosis, NULL), "\"problems\":[]") != NULL);
    OK(bq_text_free(diagnosis));
    close_queue(queue);
}

int main(void) {
    a_publish_answers_a_claim_that_waits();
    a_token_ends_the_waits_of_other_threads_and_takes_nothing();
    a_shutdown_ends_waits();
    operations_that_are_started_have_their_answers();
    a_tag_belongs_to_one_operation_at_a_time();
    a_descriptor_is_readable_while_there_is_news();
    ten_thousand_claims_wait_without_a_thread_for_any();
    what_nobody_takes_is_given_back();
    freeing_completions_ends_the_wait_for_them();
    a_transaction_is_all_or_nothing(true);
    a_transaction_is_all_or_nothing(false);
    a_backup_tells_how_far_it_is();
    puts("waits: ok");
    return 0;
}
