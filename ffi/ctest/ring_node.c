/* Hands messages from one topic to another, together with programs of other languages on the same file:
 * tests/interop/README.md says how. */

#include "check.h"

/* What is handed on is what came, and a second time of it is none. */
static void publish(bq_queue *queue, const char *to, const bq_delivery *delivery) {
    bq_message_options options = {
        .size = sizeof(options),
        .headers = delivery->headers,
        .header_count = delivery->header_count,
        .content_type = delivery->content_type,
        .correlation_id = delivery->correlation_id,
        .idempotency_key = delivery->correlation_id,
    };
    OK(bq_queue_publish(queue, to, strlen(to), delivery->payload.data, delivery->payload.len, &options, NULL, NULL));
}

int main(int argc, char **argv) {
    CHECK(argc == 6);
    const char *from = argv[2], *subscriber = argv[3], *to = argv[4];
    unsigned long long count = strtoull(argv[5], NULL, 10);
    bq_open_options open_options = {.size = sizeof(open_options), .must_exist = true};
    bq_queue *queue;
    OK(bq_queue_open(argv[1], strlen(argv[1]), &open_options, &queue, NULL));
    puts("ready");
    fflush(stdout);
    while (count > 0) {
        bq_claim_options options = {
            .size = sizeof(options), .limit = count < 10 ? (size_t)count : 10, .wait_ms = 60000};
        bq_deliveries *deliveries;
        const bq_delivery *items;
        size_t claimed;
        OK(bq_queue_claim(queue, from, strlen(from), subscriber, strlen(subscriber), &options, NULL, &deliveries, NULL));
        OK(bq_deliveries_items(deliveries, &items, &claimed, NULL));
        for (size_t at = 0; at < claimed; at++) {
            publish(queue, to, &items[at]);
            bq_status status = bq_queue_ack(queue, &items[at].receipt, NULL);
            CHECK(status == BQ_OK || status == BQ_LEASE_LOST);
            if (status == BQ_OK) count--;
        }
        OK(bq_deliveries_free(deliveries));
    }
    OK(bq_queue_shutdown(queue, NULL));
    OK(bq_queue_free(queue));
    return 0;
}
