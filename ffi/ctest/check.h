/* What the tests in C share. A test that fails says where, and ends the program. */

#ifndef CHECK_H
#define CHECK_H

#include <blockqueue.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            exit(1);                                                            \
        }                                                                       \
    } while (0)

/* The call succeeds. */
#define OK(call) CHECK((call) == BQ_OK)

/* The call is refused with this code, and says why with this word. */
#define REFUSED(code, word, call)                              \
    do {                                                       \
        bq_error *error = NULL;                                \
        CHECK((call) == (code));                               \
        CHECK(error != NULL && bq_error_status(error) == (code)); \
        size_t len;                                            \
        const char *detail = bq_error_detail(error, &len);     \
        CHECK(strlen(detail) == len);                          \
        if (strstr(detail, word) == NULL) {                    \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, detail); \
            exit(1);                                           \
        }                                                      \
        OK(bq_error_free(error));                              \
        CHECK(bq_error_free(error) == BQ_INVALID_ARGUMENT);    \
    } while (0)

static inline int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A queue in memory with a topic "t" and its subscriber "s". */
static inline bq_queue *queue_with_topic(void) {
    bq_queue *queue;
    OK(bq_queue_open(BQ_LITERAL(":memory:"), NULL, &queue, NULL));
    OK(bq_topic_create(queue, BQ_LITERAL("t"), BQ_LITERAL("{\"subscribers\": [{\"name\": \"s\"}]}"), NULL, NULL));
    return queue;
}

static inline void publish_n(bq_queue *queue, size_t count) {
    for (size_t i = 0; i < count; i++) OK(bq_queue_publish(queue, BQ_LITERAL("t"), BQ_LITERAL("x"), NULL, NULL, NULL));
}

/* Deliveries that could be claimed now. */
static inline size_t ready_count(bq_queue *queue) {
    bq_text *text;
    OK(bq_subscriber_stats(queue, BQ_LITERAL("t"), BQ_LITERAL("s"), &text, NULL));
    const char *found = strstr(bq_text_data(text, NULL), "\"ready_count\":");
    CHECK(found != NULL);
    size_t count = (size_t)atol(found + strlen("\"ready_count\":"));
    bq_text_free(text);
    return count;
}

static inline void close_queue(bq_queue *queue) {
    OK(bq_queue_shutdown(queue, NULL));
    OK(bq_queue_free(queue));
}

#endif
