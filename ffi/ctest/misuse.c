/* What a caller does wrong is an error with a reason, and never a crash. */

#include "check.h"

static void a_handle_that_is_null_freed_or_of_another_kind(void) {
    bq_queue *queue = queue_with_topic();
    bq_token *token;
    OK(bq_token_new(&token, NULL));
    REFUSED(BQ_INVALID_ARGUMENT, "the queue is NULL", bq_topic_delete(NULL, BQ_LITERAL("t"), &error));
    REFUSED(BQ_INVALID_ARGUMENT, "not the handle of a queue",
            bq_topic_delete((bq_queue *)token, BQ_LITERAL("t"), &error));
    REFUSED(BQ_INVALID_ARGUMENT, "not the handle of a queue",
            bq_topic_delete((bq_queue *)&queue, BQ_LITERAL("t"), &error));
    REFUSED(BQ_INVALID_ARGUMENT, "not the handle of a token", bq_token_cancel((bq_token *)queue, &error));
    OK(bq_token_free(token));
    CHECK(bq_token_free(token) == BQ_INVALID_ARGUMENT);
    REFUSED(BQ_INVALID_ARGUMENT, "the token was freed", bq_token_cancel(token, &error));
    OK(bq_token_free(NULL));
    close_queue(queue);
    CHECK(bq_queue_free(queue) == BQ_INVALID_ARGUMENT);
    REFUSED(BQ_INVALID_ARGUMENT, "the queue was freed", bq_queue_shutdown(queue, &error));
    CHECK(bq_text_data((bq_text *)queue, NULL) == NULL);
    CHECK(bq_error_detail(NULL, NULL) == NULL && bq_error_status(NULL) == BQ_OK && bq_error_index(NULL) == -1);
    CHECK(bq_completions_descriptor(NULL) == -1);
}

static void a_freed_handle_stays_dead_when_its_place_is_used_again(void) {
    bq_token *first, *again;
    OK(bq_token_new(&first, NULL));
    OK(bq_token_free(first));
    for (int i = 0; i < 1000; i++) {
        OK(bq_token_new(&again, NULL));
        CHECK(again != first);
        CHECK(bq_token_cancel(first, NULL) == BQ_INVALID_ARGUMENT);
        OK(bq_token_free(again));
    }
}

static void a_queue_that_is_shut_down(void) {
    bq_queue *queue = queue_with_topic();
    bq_deliveries *deliveries;
    OK(bq_queue_shutdown(queue, NULL));
    OK(bq_queue_shutdown(queue, NULL));
    REFUSED(BQ_SHUTDOWN, "shut down", bq_queue_publish(queue, BQ_LITERAL("t"), BQ_LITERAL("x"), NULL, NULL, &error));
    REFUSED(BQ_SHUTDOWN, "shut down",
            bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, NULL, &deliveries, &error));
    OK(bq_queue_free(queue));
}

static void a_place_for_an_answer_that_is_null(void) {
    bq_queue *queue = queue_with_topic();
    publish_n(queue, 1);
    REFUSED(BQ_INVALID_ARGUMENT, "NULL",
            bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, NULL, NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "NULL", bq_topic_get(queue, BQ_LITERAL("t"), NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "NULL", bq_queue_open(BQ_LITERAL(":memory:"), NULL, NULL, &error));
    /* Nothing was done: it is all still there. */
    CHECK(ready_count(queue) == 1);
    close_queue(queue);
}

static void texts_and_lengths(void) {
    bq_queue *queue = queue_with_topic();
    const char wrong[] = {'t', '\xff'};
    REFUSED(BQ_INVALID_ARGUMENT, "topic is not UTF-8",
            bq_queue_publish(queue, wrong, sizeof wrong, BQ_LITERAL("x"), NULL, NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "topic is NULL",
            bq_queue_publish(queue, NULL, 1, BQ_LITERAL("x"), NULL, NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "larger than memory",
            bq_queue_publish(queue, BQ_LITERAL("t"), "x", SIZE_MAX, NULL, NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "larger than memory",
            bq_queue_publish_batch(queue, BQ_LITERAL("t"), (const bq_message *)&queue, SIZE_MAX / 2, NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "messages", bq_queue_publish_batch(queue, BQ_LITERAL("t"), NULL, 0, NULL, &error));
    REFUSED(BQ_UNKNOWN_TOPIC, "", bq_queue_publish(queue, NULL, 0, BQ_LITERAL("x"), NULL, NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "control character", bq_topic_create(queue, "a\0b", 3, NULL, 0, NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "zero", bq_queue_open("a\0b", 3, NULL, &queue, &error));
    /* A payload may be anything. */
    OK(bq_queue_publish(queue, BQ_LITERAL("t"), wrong, sizeof wrong, NULL, NULL, NULL));
    OK(bq_queue_publish(queue, BQ_LITERAL("t"), NULL, 0, NULL, NULL, NULL));
    close_queue(queue);
}

static void a_header_may_hold_a_zero(void) {
    bq_queue *queue = queue_with_topic();
    bq_header header = {{"h\0i", 3}, {"v\0w", 3}};
    bq_message_options options = {.size = sizeof options, .headers = &header, .header_count = 1};
    OK(bq_queue_publish(queue, BQ_LITERAL("t"), "p\0q", 3, &options, NULL, NULL));
    bq_header twice[] = {header, header};
    options.headers = twice;
    options.header_count = 2;
    REFUSED(BQ_INVALID_ARGUMENT, "same name",
            bq_queue_publish(queue, BQ_LITERAL("t"), BQ_LITERAL("x"), &options, NULL, &error));
    bq_deliveries *deliveries;
    const bq_delivery *items;
    size_t count;
    OK(bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, NULL, &deliveries, NULL));
    OK(bq_deliveries_items(deliveries, &items, &count, NULL));
    CHECK(count == 1 && items->payload.len == 3 && memcmp(items->payload.data, "p\0q", 3) == 0);
    CHECK(items->header_count == 1 && memcmp(items->headers->name.data, "h\0i", 3) == 0);
    CHECK(items->headers->value.len == 3 && memcmp(items->headers->value.data, "v\0w", 3) == 0);
    OK(bq_deliveries_free(deliveries));
    close_queue(queue);
}

static void structures_of_another_size(void) {
    bq_queue *queue = queue_with_topic();
    bq_deliveries *deliveries;
    bq_claim_options options = {0};
    REFUSED(BQ_INVALID_ARGUMENT, "size",
            bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &options, NULL, &deliveries, &error));
    /* An older program knows fewer fields. */
    options.size = offsetof(bq_claim_options, wait_ms);
    options.wait_ms = -1;
    OK(bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &options, NULL, &deliveries, NULL));
    OK(bq_deliveries_free(deliveries));
    options.size = sizeof options;
    REFUSED(BQ_INVALID_ARGUMENT, "negative",
            bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &options, NULL, &deliveries, &error));
    /* A newer one may know more, if it does not use it. */
    struct {
        bq_claim_options known;
        int64_t unknown;
    } newer = {{.size = sizeof newer}, 0};
    OK(bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &newer.known, NULL, &deliveries, NULL));
    OK(bq_deliveries_free(deliveries));
    newer.unknown = 1;
    REFUSED(BQ_INVALID_ARGUMENT, "does not know",
            bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &newer.known, NULL, &deliveries, &error));
    close_queue(queue);
}

static void receipts_and_ids(void) {
    bq_queue *queue = queue_with_topic();
    bq_receipt receipt, read;
    memset(&receipt, 0xff, sizeof receipt);
    REFUSED(BQ_INVALID_RECEIPT, "", bq_queue_ack(queue, &receipt, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "NULL", bq_queue_ack(queue, NULL, &error));
    memset(&receipt, 0, sizeof receipt);
    REFUSED(BQ_LEASE_LOST, "", bq_queue_ack(queue, &receipt, &error));
    bq_settled settled[2];
    bq_receipt receipts[2] = {receipt, receipt};
    OK(bq_queue_ack_batch(queue, receipts, 2, settled, NULL));
    CHECK(settled[0].status == BQ_LEASE_LOST && settled[1].status == BQ_LEASE_LOST);
    REFUSED(BQ_LEASE_LOST, "", bq_queue_ack_batch(queue, receipts, 2, NULL, &error));
    char text[131];
    size_t len;
    OK(bq_receipt_text(&receipt, text, sizeof text, &len, NULL));
    CHECK(strlen(text) == len);
    OK(bq_receipt_parse(text, len, &read, NULL));
    CHECK(memcmp(&read, &receipt, sizeof read) == 0);
    REFUSED(BQ_INVALID_ARGUMENT, "room", bq_receipt_text(&receipt, text, len, NULL, &error));
    REFUSED(BQ_INVALID_RECEIPT, "", bq_receipt_parse(BQ_LITERAL("no"), &read, &error));
    REFUSED(BQ_INVALID_RECEIPT, "", bq_receipt_parse("\xff", 1, &read, &error));
    bq_id id;
    REFUSED(BQ_INVALID_ARGUMENT, "UUID", bq_id_parse(BQ_LITERAL("no"), &id, &error));
    close_queue(queue);
}

static void settings_that_are_not_json_or_misspelt(void) {
    bq_queue *queue = queue_with_topic();
    REFUSED(BQ_INVALID_ARGUMENT, "settings", bq_topic_create(queue, BQ_LITERAL("u"), BQ_LITERAL("{"), NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "retain",
            bq_topic_update(queue, BQ_LITERAL("t"), BQ_LITERAL("{\"retain\": 1}"), NULL, &error));
    REFUSED(BQ_INVALID_ARGUMENT, "which",
            bq_dead_letters_purge(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), NULL, 0, NULL, &error));
    close_queue(queue);
}

static void a_packed_batch_whose_lengths_are_wrong(void) {
    bq_queue *queue = queue_with_topic();
    size_t lengths[] = {1, 3};
    bq_published published[2];
    REFUSED(BQ_INVALID_ARGUMENT, "add up",
            bq_queue_publish_packed(queue, BQ_LITERAL("t"), BQ_LITERAL("abc"), lengths, 2, NULL, NULL, &error));
    OK(bq_queue_publish_packed(queue, BQ_LITERAL("t"), BQ_LITERAL("abcd"), lengths, 2, NULL, published, NULL));
    CHECK(published[1].subscriber_count == 1 && ready_count(queue) == 2);
    close_queue(queue);
}

static void statuses_and_versions(void) {
    CHECK(strcmp(bq_status_code(BQ_OK), "ok") == 0);
    CHECK(strcmp(bq_status_code(BQ_LEASE_LOST), "lease_lost") == 0);
    CHECK(bq_status_code(-1) == NULL && bq_status_code(100000) == NULL);
    CHECK(bq_status_retry(BQ_BUSY) == BQ_RETRY_LATER && bq_status_retry(BQ_OUTCOME_UNKNOWN) == BQ_RETRY_RECONCILE);
    CHECK(bq_status_retry(BQ_OK) == BQ_RETRY_NEVER && bq_status_retry(-1) == BQ_RETRY_NEVER);
    OK(bq_abi_check(BQ_ABI_VERSION, NULL));
    REFUSED(BQ_INVALID_ARGUMENT, "ABI", bq_abi_check(BQ_ABI_VERSION + 1, &error));
    CHECK(strchr(bq_version(), '.') != NULL && bq_abi_version() == BQ_ABI_VERSION);
    CHECK(strstr(bq_limits(), "\"claim_max\":1000") != NULL);
}

int main(void) {
    a_handle_that_is_null_freed_or_of_another_kind();
    a_freed_handle_stays_dead_when_its_place_is_used_again();
    a_queue_that_is_shut_down();
    a_place_for_an_answer_that_is_null();
    texts_and_lengths();
    a_header_may_hold_a_zero();
    structures_of_another_size();
    receipts_and_ids();
    settings_that_are_not_json_or_misspelt();
    a_packed_batch_whose_lengths_are_wrong();
    statuses_and_versions();
    puts("misuse: ok");
    return 0;
}
