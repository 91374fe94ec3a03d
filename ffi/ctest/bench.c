/* What the calls cost from C, for `cargo xtask bench c`. Reads "publish N" or "consume N", writes nanoseconds. */

#include "check.h"

#define PAYLOAD_BYTES 100
#define BATCH 100

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t publish(bq_queue *queue, size_t count) {
    char payload[PAYLOAD_BYTES] = {0};
    int64_t since = now_ns();
    for (size_t i = 0; i < count; i++) {
        bq_published published;
        OK(bq_queue_publish(queue, BQ_LITERAL("t"), payload, sizeof payload, NULL, &published, NULL));
    }
    return now_ns() - since;
}

static void fill(bq_queue *queue, size_t count) {
    static char data[1000 * PAYLOAD_BYTES];
    size_t lengths[1000];
    for (size_t i = 0; i < 1000; i++) lengths[i] = PAYLOAD_BYTES;
    for (size_t done = 0; done < count; done += 1000) {
        OK(bq_queue_publish_packed(queue, BQ_LITERAL("t"), data, sizeof data, lengths, 1000, NULL, NULL, NULL));
    }
}

/* Claims in batches, copies the receipts as a worker would, looks at the payloads, and acks. */
static int64_t consume(bq_queue *queue, size_t count) {
    bq_claim_options options = {.size = sizeof options, .limit = BATCH};
    fill(queue, count);
    int64_t since = now_ns();
    for (size_t done = 0; done < count; done += BATCH) {
        bq_deliveries *deliveries;
        const bq_delivery *items;
        size_t claimed;
        bq_receipt receipts[BATCH];
        bq_settled settled[BATCH];
        OK(bq_queue_claim(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &options, NULL, &deliveries, NULL));
        OK(bq_deliveries_items(deliveries, &items, &claimed, NULL));
        CHECK(claimed == BATCH);
        for (size_t i = 0; i < claimed; i++) {
            CHECK(items[i].payload.len == PAYLOAD_BYTES);
            receipts[i] = items[i].receipt;
        }
        OK(bq_deliveries_free(deliveries));
        OK(bq_queue_ack_batch(queue, receipts, claimed, settled, NULL));
        for (size_t i = 0; i < claimed; i++) CHECK(settled[i].status == BQ_OK);
    }
    return now_ns() - since;
}

int main(void) {
    char verb[16];
    size_t count;
    while (scanf("%15s %zu", verb, &count) == 2) {
        bq_queue *queue = queue_with_topic();
        int64_t took = strcmp(verb, "publish") == 0 ? publish(queue, count) : consume(queue, count);
        printf("%lld\n", (long long)took);
        fflush(stdout);
        close_queue(queue);
    }
    return 0;
}
