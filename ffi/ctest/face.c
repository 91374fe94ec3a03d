#include "face.h"

#include <blockqueue.h>
#include <blockqueue_test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

struct face {
    bq_queue *queue;
    bq_clock *clock;
    const char *path;
};

/* Where a call stores what it answers. */
typedef struct call {
    face *face;
    json_t *operation;
    bq_error *error;
    bq_text *text;
    json_t *value;
} call;

/* --- arguments --- */

/* Pointer and length of a text of the operation; NULL and 0 if it is not there. */
#define TEXT(name) json_string_value(member(call, name)), json_string_length(member(call, name))
#define QUEUE call->face->queue
#define ERROR &call->error

static json_t *member(const call *call, const char *name) { return json_object_get(call->operation, name); }

static int64_t number(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

static bq_slice slice(const json_t *object, const char *name) {
    const json_t *text = json_object_get(object, name);
    return (bq_slice){json_string_value(text), json_string_length(text)};
}

/* Settings: a part of the operation as JSON, with instants as the library has them; free it. */
static char *settings(const json_t *part) {
    json_t *copy = part == NULL ? json_object() : json_deep_copy(part);
    shift(copy, START_MS);
    char *text = json_dumps(copy, JSON_ENCODE_ANY | JSON_COMPACT);
    json_decref(copy);
    return text;
}

/* The members of the operation that these names say, as settings. */
static char *members(const call *call, const char *const *names) {
    json_t *part = json_object();
    for (; *names != NULL; names++) {
        if (member(call, *names) != NULL) json_object_set(part, *names, member(call, *names));
    }
    char *text = settings(part);
    json_decref(part);
    return text;
}

typedef struct message {
    bq_message message;
    bq_message_options options;
    bq_header *headers;
    char *payload;
} message;

static void read_message(const json_t *from, message *out) {
    const json_t *headers = json_object_get(from, "headers");
    size_t len, count = 0;
    out->payload = payload_of(from, &len);
    out->headers = calloc(json_object_size(headers) + 1, sizeof *out->headers);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)headers, name, value) {
        out->headers[count].name = (bq_slice){name, strlen(name)};
        out->headers[count++].value = (bq_slice){json_string_value(value), json_string_length(value)};
    }
    const json_t *deliver_at = json_object_get(from, "deliver_at");
    out->options = (bq_message_options){
        .size = sizeof(bq_message_options),
        .content_type = slice(from, "content_type"),
        .headers = out->headers,
        .header_count = count,
        .correlation_id = slice(from, "correlation_id"),
        .idempotency_key = slice(from, "idempotency_key"),
        .ordering_key = slice(from, "ordering_key"),
        .unique_key = slice(from, "unique_key"),
        .delay_ms = number(from, "delay_ms"),
        .deliver_at_ms = json_is_integer(deliver_at) ? json_integer_value(deliver_at) + START_MS : 0,
        .ttl_ms = number(from, "ttl_ms"),
        .priority = (int32_t)number(from, "priority"),
    };
    out->message = (bq_message){{out->payload, len}, &out->options};
}

static void free_message(message *message) {
    free(message->payload);
    free(message->headers);
}

static bq_claim_options claim_options(const call *call) {
    return (bq_claim_options){
        .size = sizeof(bq_claim_options),
        .limit = (size_t)number(call->operation, "limit"),
        .wait_ms = number(call->operation, "wait_ms"),
        .lease_ms = number(call->operation, "lease_ms"),
    };
}

static bq_nack_options nack_options(const json_t *nack) {
    return (bq_nack_options){
        .size = sizeof(bq_nack_options),
        .error = slice(nack, "error_text"),
        .delay_ms = number(nack, "delay_ms"),
        .has_delay = json_is_integer(json_object_get(nack, "delay_ms")),
        .give_up = json_is_true(json_object_get(nack, "give_up")),
    };
}

static bq_status receipt_of(call *call, const json_t *text, bq_receipt *receipt) {
    return bq_receipt_parse(json_string_value(text), json_string_length(text), receipt, ERROR);
}

static bq_status message_id(call *call, bq_id *id) { return bq_id_parse(TEXT("message_id"), id, ERROR); }

/* --- answers --- */

static json_t *text_of(bq_slice slice) { return slice.data == NULL ? json_null() : json_stringn(slice.data, slice.len); }

static json_t *instant(int64_t at_ms) { return at_ms == 0 ? json_null() : json_integer(at_ms - START_MS); }

static json_t *id_of(bq_id id) {
    char text[37];
    if (bq_id_text(&id, text, NULL) != BQ_OK) die("an id has no text");
    return json_string(text);
}

static json_t *published_of(const bq_published *published) {
    return json_pack("{s:o, s:b, s:o, s:I}", "id", id_of(published->id), "duplicate", published->duplicate, "deliver_at",
                     instant(published->deliver_at_ms), "subscriber_count", (json_int_t)published->subscriber_count);
}

static json_t *delivery_of(const bq_delivery *delivery) {
    char receipt[131];
    if (bq_receipt_text(&delivery->receipt, receipt, sizeof receipt, NULL, NULL) != BQ_OK) die("a receipt has no text");
    json_t *headers = json_object();
    for (size_t i = 0; i < delivery->header_count; i++) {
        const bq_header *header = &delivery->headers[i];
        char *name = strndup(header->name.data, header->name.len);
        json_object_set_new(headers, name, text_of(header->value));
        free(name);
    }
    json_t *out = json_pack(
        "{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:o}", "topic", text_of(delivery->topic),
        "subscriber", text_of(delivery->subscriber), "message_id", id_of(delivery->message_id), "receipt", receipt,
        "content_type", text_of(delivery->content_type), "headers", headers, "correlation_id",
        text_of(delivery->correlation_id), "ordering_key", text_of(delivery->ordering_key), "priority",
        (int)delivery->priority, "attempt", (int)delivery->attempt, "failures", (int)delivery->failures, "published_at",
        instant(delivery->published_at_ms), "expires_at", instant(delivery->expires_at_ms), "lease_expires_at",
        instant(delivery->lease_expires_at_ms));
    add_payload(out, delivery->payload.data, delivery->payload.len);
    return out;
}

static void take_deliveries(call *call, bq_deliveries *deliveries) {
    const bq_delivery *items;
    size_t count;
    if (bq_deliveries_items(deliveries, &items, &count, NULL) != BQ_OK) die("deliveries have no items");
    call->value = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(call->value, delivery_of(&items[i]));
    bq_deliveries_free(deliveries);
}

static const char *state_of(int32_t state) {
    static const char *const NAMES[] = {NULL, "pending", "leased", "retrying", "parked", "dead_lettered", "settled"};
    return NAMES[state];
}

/* What the verbs name the instant that they answer with. */
static json_t *settled_of(const bq_settled *settled, const char *verb) {
    if (settled->status != BQ_OK) return json_pack("{s:s}", "error", bq_status_code(settled->status));
    if (strncmp(verb, "nack", 4) == 0) {
        return json_pack("{s:s, s:o}", "state", state_of(settled->state), "ready_at", instant(settled->at_ms));
    }
    if (strncmp(verb, "extend", 6) == 0) return json_pack("{s:o}", "lease_expires_at", instant(settled->at_ms));
    if (strncmp(verb, "defer", 5) == 0) return json_pack("{s:o}", "ready_at", instant(settled->at_ms));
    return json_object();
}

/* --- operations --- */

static bq_status publish(call *call) {
    message message;
    bq_published published;
    read_message(member(call, "message"), &message);
    bq_status status = bq_queue_publish(QUEUE, TEXT("topic"), message.message.payload.data, message.message.payload.len,
                                        &message.options, &published, ERROR);
    free_message(&message);
    if (status == BQ_OK) call->value = published_of(&published);
    return status;
}

static bq_status publish_batch(call *call) {
    size_t count = json_array_size(member(call, "messages"));
    message *messages = calloc(count + 1, sizeof *messages);
    bq_message *batch = calloc(count + 1, sizeof *batch);
    bq_published *published = calloc(count + 1, sizeof *published);
    for (size_t i = 0; i < count; i++) {
        read_message(json_array_get(member(call, "messages"), i), &messages[i]);
        batch[i] = messages[i].message;
    }
    bq_status status = bq_queue_publish_batch(QUEUE, TEXT("topic"), batch, count, published, ERROR);
    if (status == BQ_OK) call->value = json_array();
    for (size_t i = 0; i < count; i++) {
        if (status == BQ_OK) json_array_append_new(call->value, published_of(&published[i]));
        free_message(&messages[i]);
    }
    free(messages);
    free(batch);
    free(published);
    return status;
}

static bq_status claim(call *call) {
    bq_deliveries *deliveries;
    bq_claim_options options = claim_options(call);
    bq_status status =
        bq_queue_claim(QUEUE, TEXT("topic"), TEXT("subscriber"), &options, NULL, &deliveries, ERROR);
    if (status == BQ_OK) take_deliveries(call, deliveries);
    return status;
}

static bq_status claim_any(call *call) {
    size_t count = json_array_size(member(call, "sources"));
    bq_source *sources = calloc(count + 1, sizeof *sources);
    for (size_t i = 0; i < count; i++) {
        const json_t *source = json_array_get(member(call, "sources"), i);
        sources[i] = (bq_source){slice(source, "topic"), slice(source, "subscriber")};
    }
    bq_deliveries *deliveries;
    bq_claim_options options = claim_options(call);
    bq_status status = bq_queue_claim_any(QUEUE, sources, count, &options, NULL, &deliveries, ERROR);
    free(sources);
    if (status == BQ_OK) take_deliveries(call, deliveries);
    return status;
}

static bq_status ack(call *call) {
    bq_receipt receipt;
    bq_status status = receipt_of(call, member(call, "receipt"), &receipt);
    if (status != BQ_OK) return status;
    const json_t *result = member(call, "result");
    if (result == NULL) return bq_queue_ack(QUEUE, &receipt, ERROR);
    size_t len;
    char *payload = payload_of(result, &len);
    bq_slice content_type = slice(result, "content_type");
    status = bq_queue_ack_with_result(QUEUE, &receipt, payload, len, content_type.data, content_type.len,
                                      number(result, "ttl_ms"), ERROR);
    free(payload);
    return status;
}

static bq_status settle(call *call) {
    bq_receipt receipt;
    bq_settled result = {0};
    const char *verb = json_string_value(member(call, "do"));
    bq_status status = receipt_of(call, member(call, "receipt"), &receipt);
    if (status != BQ_OK) return status;
    if (strcmp(verb, "nack") == 0) {
        bq_nack_options options = nack_options(call->operation);
        status = bq_queue_nack(QUEUE, &receipt, &options, &result, ERROR);
    } else if (strcmp(verb, "extend") == 0) {
        status = bq_queue_extend(QUEUE, &receipt, number(call->operation, "lease_ms"), &result, ERROR);
    } else if (strcmp(verb, "defer") == 0) {
        status = bq_queue_defer(QUEUE, &receipt, number(call->operation, "delay_ms"), &result, ERROR);
    } else {
        status = bq_queue_cancel(QUEUE, &receipt, TEXT("reason"), ERROR);
    }
    if (status == BQ_OK) call->value = settled_of(&result, verb);
    return status;
}

static bq_status settle_batch(call *call) {
    const char *verb = json_string_value(member(call, "do"));
    json_t *items = member(call, "items"), *texts = member(call, "receipts");
    size_t count = json_array_size(items != NULL ? items : texts);
    bq_receipt *receipts = calloc(count + 1, sizeof *receipts);
    bq_nack_options *options = calloc(count + 1, sizeof *options);
    bq_nack *nacks = calloc(count + 1, sizeof *nacks);
    bq_deferral *deferrals = calloc(count + 1, sizeof *deferrals);
    bq_settled *results = calloc(count + 1, sizeof *results);
    bq_status status = BQ_OK;
    for (size_t i = 0; i < count && status == BQ_OK; i++) {
        const json_t *item = json_array_get(items, i);
        status = receipt_of(call, items != NULL ? json_object_get(item, "receipt") : json_array_get(texts, i), &receipts[i]);
        options[i] = nack_options(item);
        nacks[i] = (bq_nack){receipts[i], &options[i]};
        deferrals[i] = (bq_deferral){receipts[i], number(item, "delay_ms")};
    }
    if (status != BQ_OK) {
    } else if (strcmp(verb, "ack_batch") == 0) {
        status = bq_queue_ack_batch(QUEUE, receipts, count, results, ERROR);
    } else if (strcmp(verb, "nack_batch") == 0) {
        status = bq_queue_nack_batch(QUEUE, nacks, count, results, ERROR);
    } else if (strcmp(verb, "extend_batch") == 0) {
        status = bq_queue_extend_batch(QUEUE, receipts, count, number(call->operation, "lease_ms"), results, ERROR);
    } else if (strcmp(verb, "defer_batch") == 0) {
        status = bq_queue_defer_batch(QUEUE, deferrals, count, results, ERROR);
    } else {
        status = bq_queue_cancel_batch(QUEUE, receipts, count, TEXT("reason"), results, ERROR);
    }
    if (status == BQ_OK) call->value = json_array();
    for (size_t i = 0; i < count && status == BQ_OK; i++) {
        json_array_append_new(call->value, settled_of(&results[i], verb));
    }
    free(receipts);
    free(options);
    free(nacks);
    free(deferrals);
    free(results);
    return status;
}

static bq_status cancel_delivery(call *call) {
    bq_id id;
    bq_status status = message_id(call, &id);
    if (status != BQ_OK) return status;
    return bq_delivery_cancel(QUEUE, TEXT("topic"), TEXT("subscriber"), &id, TEXT("reason"), ERROR);
}

static bq_status cancel_message(call *call) {
    bq_id id;
    bq_status status = message_id(call, &id);
    return status != BQ_OK ? status : bq_message_cancel(QUEUE, TEXT("topic"), &id, &call->text, ERROR);
}

static bq_status get_message(call *call) {
    bq_id id;
    bq_status status = message_id(call, &id);
    return status != BQ_OK ? status : bq_message_get(QUEUE, TEXT("topic"), &id, &call->text, ERROR);
}

static bq_status result(call *call) {
    bq_id id;
    bq_status status = message_id(call, &id);
    if (status != BQ_OK) return status;
    return bq_result_get(QUEUE, TEXT("topic"), TEXT("subscriber"), &id, number(call->operation, "wait_ms"), NULL,
                         &call->text, ERROR);
}

static bq_status failures(call *call) {
    bq_id id;
    bq_status status = message_id(call, &id);
    if (status != BQ_OK) return status;
    return bq_failures_list(QUEUE, TEXT("topic"), TEXT("subscriber"), &id, (size_t)number(call->operation, "limit"),
                            TEXT("after"), &call->text, ERROR);
}

static bq_status reopen(call *call) {
    face *face = call->face;
    bq_queue_shutdown(face->queue, NULL);
    bq_queue_free(face->queue);
    bq_open_options options = {.size = sizeof options, .must_exist = true};
    return bq_queue_open_with_clock(face->path, strlen(face->path), &options, face->clock, &face->queue, ERROR);
}

/* Those that differ in the function that they call and in nothing else. */

#define WITH_SETTINGS(function, made, expression)             \
    static bq_status function(call *call) {                   \
        char *json = made;                                    \
        const char *data = json;                              \
        size_t len = strlen(json);                            \
        bq_status status = expression;                        \
        free(json);                                           \
        return status;                                        \
    }
#define TOPIC QUEUE, TEXT("topic")
#define SUBSCRIBER TOPIC, TEXT("subscriber")
#define SCHEDULE TOPIC, TEXT("schedule")
#define PAGE (size_t)number(call->operation, "limit"), TEXT("after")
#define ANSWER &call->text, ERROR
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

WITH_SETTINGS(create_topic, members(call, NAMES("options", "subscribers")), bq_topic_create(TOPIC, data, len, ANSWER))
WITH_SETTINGS(update_topic, settings(member(call, "options")), bq_topic_update(TOPIC, data, len, ANSWER))
WITH_SETTINGS(create_subscribers, settings(member(call, "subscribers")), bq_subscriber_create(TOPIC, data, len, ANSWER))
WITH_SETTINGS(update_subscriber, settings(member(call, "options")), bq_subscriber_update(SUBSCRIBER, data, len, ANSWER))
WITH_SETTINGS(seek, members(call, NAMES("to", "dry_run")), bq_subscriber_seek(SUBSCRIBER, data, len, ANSWER))
WITH_SETTINGS(redrive, members(call, NAMES("which", "filter", "to", "rate", "dry_run")),
              bq_dead_letters_redrive(SUBSCRIBER, data, len, ANSWER))
WITH_SETTINGS(purge, members(call, NAMES("which", "filter", "dry_run")), bq_dead_letters_purge(SUBSCRIBER, data, len, ANSWER))
WITH_SETTINGS(create_schedule, settings(member(call, "options")), bq_schedule_create(SCHEDULE, data, len, ANSWER))
WITH_SETTINGS(update_schedule, settings(member(call, "options")),
              bq_schedule_update(SCHEDULE, (uint64_t)number(call->operation, "version"), data, len, ANSWER))

#define PLAIN(function, expression) \
    static bq_status function(call *call) { return expression; }

PLAIN(topic, bq_topic_get(TOPIC, ANSWER))
PLAIN(topics, bq_topic_list(QUEUE, PAGE, ANSWER))
PLAIN(delete_topic, bq_topic_delete(TOPIC, ERROR))
PLAIN(pause_topic, bq_topic_pause(TOPIC, ERROR))
PLAIN(resume_topic, bq_topic_resume(TOPIC, ERROR))
PLAIN(topic_stats, bq_topic_stats(TOPIC, ANSWER))
PLAIN(subscriber, bq_subscriber_get(SUBSCRIBER, ANSWER))
PLAIN(subscribers, bq_subscriber_list(TOPIC, PAGE, ANSWER))
PLAIN(delete_subscriber, bq_subscriber_delete(SUBSCRIBER, ERROR))
PLAIN(pause_subscriber, bq_subscriber_pause(SUBSCRIBER, ERROR))
PLAIN(resume_subscriber, bq_subscriber_resume(SUBSCRIBER, ERROR))
PLAIN(subscriber_stats, bq_subscriber_stats(SUBSCRIBER, ANSWER))
PLAIN(peek, bq_subscriber_peek(SUBSCRIBER, PAGE, ANSWER))
PLAIN(dead_letters, bq_dead_letters_list(SUBSCRIBER, PAGE, ANSWER))
PLAIN(schedule, bq_schedule_get(SCHEDULE, ANSWER))
PLAIN(schedules, bq_schedule_list(TOPIC, PAGE, ANSWER))
PLAIN(delete_schedule, bq_schedule_delete(SCHEDULE, ERROR))
PLAIN(pause_schedule, bq_schedule_pause(SCHEDULE, ERROR))
PLAIN(resume_schedule, bq_schedule_resume(SCHEDULE, ERROR))
PLAIN(run_schedule_now, bq_schedule_run(SCHEDULE, ANSWER))
PLAIN(schedule_runs, bq_schedule_runs(SCHEDULE, PAGE, ANSWER))
PLAIN(shutdown, bq_queue_shutdown(QUEUE, ERROR))

static const struct {
    const char *name;
    bq_status (*perform)(call *);
} OPERATIONS[] = {
    {"create_topic", create_topic}, {"topic", topic}, {"topics", topics}, {"update_topic", update_topic},
    {"delete_topic", delete_topic}, {"pause_topic", pause_topic}, {"resume_topic", resume_topic},
    {"create_subscribers", create_subscribers}, {"subscriber", subscriber}, {"subscribers", subscribers},
    {"update_subscriber", update_subscriber}, {"delete_subscriber", delete_subscriber},
    {"pause_subscriber", pause_subscriber}, {"resume_subscriber", resume_subscriber}, {"seek", seek},
    {"publish", publish}, {"publish_batch", publish_batch}, {"claim", claim}, {"claim_any", claim_any}, {"ack", ack},
    {"result", result}, {"ack_batch", settle_batch}, {"nack", settle}, {"nack_batch", settle_batch},
    {"extend", settle}, {"extend_batch", settle_batch}, {"defer", settle}, {"defer_batch", settle_batch},
    {"cancel", settle}, {"cancel_batch", settle_batch}, {"cancel_delivery", cancel_delivery},
    {"cancel_message", cancel_message}, {"dead_letters", dead_letters}, {"redrive", redrive},
    {"purge_dead_letters", purge}, {"failures", failures}, {"topic_stats", topic_stats},
    {"subscriber_stats", subscriber_stats}, {"peek", peek}, {"message", get_message},
    {"create_schedule", create_schedule}, {"schedule", schedule}, {"schedules", schedules},
    {"update_schedule", update_schedule}, {"delete_schedule", delete_schedule}, {"pause_schedule", pause_schedule},
    {"resume_schedule", resume_schedule}, {"run_schedule_now", run_schedule_now}, {"schedule_runs", schedule_runs},
    {"shutdown", shutdown}, {"reopen", reopen},
};

/* --- the face --- */

face *face_open(const char *path) {
    face *face = calloc(1, sizeof *face);
    face->path = path == NULL ? ":memory:" : path;
    if (bq_clock_new(START_MS, &face->clock, NULL) != BQ_OK ||
        bq_queue_open_with_clock(face->path, strlen(face->path), NULL, face->clock, &face->queue, NULL) != BQ_OK) {
        die("cannot open %s", face->path);
    }
    return face;
}

static void tell_refusal(answer *answer, bq_status status, bq_error *error) {
    if (bq_error_status(error) != status) die("the error is not that of the status");
    snprintf(answer->code, sizeof answer->code, "%s", bq_status_code(status));
    snprintf(answer->detail, sizeof answer->detail, "%s", bq_error_detail(error, NULL));
    answer->index = bq_error_index(error);
    bq_error_free(error);
}

answer face_perform(face *face, json_t *operation) {
    answer answer = {.index = -1};
    call call = {.face = face, .operation = operation};
    const char *name = json_string_value(json_object_get(operation, "do"));
    bq_status status = -1;
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof *OPERATIONS; i++) {
        if (strcmp(OPERATIONS[i].name, name) == 0) status = OPERATIONS[i].perform(&call);
    }
    if (status == -1) die("there is no operation %s", name);
    if (status != BQ_OK) {
        tell_refusal(&answer, status, call.error);
    } else if (call.text != NULL) {
        size_t len;
        const char *text = bq_text_data(call.text, &len);
        answer.value = json_loadb(text, len, JSON_DECODE_ANY, NULL);
        shift(answer.value, -START_MS);
        bq_text_free(call.text);
    } else {
        answer.value = call.value != NULL ? call.value : json_object();
    }
    return answer;
}

void face_set_clock(face *face, int64_t at_ms) { bq_clock_set(face->clock, at_ms, NULL); }

void face_shutdown(face *face) { bq_queue_shutdown(face->queue, NULL); }

void face_free(face *face) {
    if (bq_queue_free(face->queue) != BQ_OK || bq_clock_free(face->clock) != BQ_OK) die("cannot free");
    free(face);
}
