/* The conformance scripts by the C ABI: conformance FOLDER. The variable CONFORMANCE_SCRIPT picks scripts by a part of
 * their names, CONFORMANCE_EVERY each so manieth. */

#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "face.h"
#include "values.h"

#define PATIENCE_MS 10000

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* An operation that runs in the background. */
typedef struct started {
    char name[64];
    face *face;
    json_t *operation;
    pthread_t thread;
    int64_t since_ms, took_ms;
    answer answer;
} started;

typedef struct runner {
    face *face;
    json_t *saved;
    int64_t now_ms;
    started *started[16];
    size_t started_count;
    int zeros;
} runner;

/* --- steps: each returns NULL, or what differed; free it --- */

static char *check(runner *runner, const json_t *step, answer *answer, int64_t took_ms) {
    const json_t *error = json_object_get(step, "error"), *index = json_object_get(step, "index");
    int64_t takes_ms = json_integer_value(json_object_get(step, "takes_ms"));
    char *text = NULL;
    if (took_ms < takes_ms) {
        if (asprintf(&text, "answered after %lld ms", (long long)took_ms) < 0) die("no memory");
    } else if (error != NULL && strcmp(answer->code, json_string_value(error)) != 0) {
        if (asprintf(&text, "expected error %s, found %s", json_string_value(error),
                     answer->value != NULL ? "an answer" : answer->detail) < 0) die("no memory");
    } else if (error == NULL && answer->value == NULL) {
        if (asprintf(&text, "found error %s: %s", answer->code, answer->detail) < 0) die("no memory");
    } else if (index != NULL && answer->index != json_integer_value(index)) {
        if (asprintf(&text, "found item %lld refused", (long long)answer->index) < 0) die("no memory");
    } else if (error == NULL && json_object_get(step, "expect") != NULL) {
        json_t *expected = resolve(json_object_get(step, "expect"), runner->saved);
        text = difference(expected, answer->value);
        json_decref(expected);
    }
    const json_t *save = json_object_get(step, "save");
    if (text == NULL && save != NULL) json_object_set(runner->saved, json_string_value(save), answer->value);
    json_decref(answer->value);
    answer->value = NULL;
    return text;
}

static char *perform(runner *runner, const json_t *step) {
    json_t *operation = resolve((json_t *)step, runner->saved);
    int64_t since = now_ms();
    answer answer = face_perform(runner->face, operation);
    json_decref(operation);
    return check(runner, step, &answer, now_ms() - since);
}

static char *retry(runner *runner, const json_t *step) {
    int64_t deadline = now_ms() + PATIENCE_MS;
    for (long pause_ms = 5;; pause_ms = pause_ms < 320 ? pause_ms * 2 : 640) {
        char *text = perform(runner, step);
        if (text == NULL || now_ms() > deadline) return text;
        free(text);
        nanosleep(&(struct timespec){0, pause_ms * 1000000}, NULL);
    }
}

static void *run_started(void *argument) {
    started *started = argument;
    started->answer = face_perform(started->face, started->operation);
    started->took_ms = now_ms() - started->since_ms;
    return NULL;
}

static void start(runner *runner, const json_t *step) {
    started *started = calloc(1, sizeof *started);
    snprintf(started->name, sizeof started->name, "%s", json_string_value(json_object_get(step, "start")));
    json_t *resolved = resolve((json_t *)step, runner->saved);
    /* Reference counts belong to one thread. */
    started->operation = json_deep_copy(resolved);
    json_decref(resolved);
    started->face = runner->face;
    started->since_ms = now_ms();
    if (pthread_create(&started->thread, NULL, run_started, started) != 0) die("cannot start a thread");
    runner->started[runner->started_count++] = started;
}

static void free_started(started *started) {
    json_decref(started->operation);
    json_decref(started->answer.value);
    free(started);
}

static char *join(runner *runner, const json_t *step) {
    const char *name = json_string_value(json_object_get(step, "join"));
    for (size_t i = 0; i < runner->started_count; i++) {
        started *started = runner->started[i];
        if (strcmp(started->name, name) != 0) continue;
        struct timespec deadline;
        clock_gettime(CLOCK_REALTIME, &deadline);
        deadline.tv_sec += PATIENCE_MS / 1000;
        if (pthread_timedjoin_np(started->thread, NULL, &deadline) != 0) return strdup("no answer in time");
        runner->started[i] = runner->started[--runner->started_count];
        answer answer = started->answer;
        started->answer.value = NULL;
        char *text = check(runner, step, &answer, started->took_ms);
        free_started(started);
        return text;
    }
    return strdup("it was not started");
}

/* Zero means the default where C passes it in a structure, so the refusal of a zero cannot be provoked. */
static bool is_default_here(const json_t *step) {
    static const char *const PLACES[][3] = {{"limit", NULL, NULL},        {"lease_ms", "claim", NULL},
                                            {"ttl_ms", NULL, "message"}, {"ttl_ms", NULL, "result"}};
    const char *name = json_string_value(json_object_get(step, "do"));
    if (name == NULL || json_object_get(step, "error") == NULL) return false;
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        if (PLACES[i][1] != NULL && strncmp(name, PLACES[i][1], strlen(PLACES[i][1])) != 0) continue;
        const json_t *holder = PLACES[i][2] == NULL ? step : json_object_get(step, PLACES[i][2]);
        const json_t *value = json_object_get(holder, PLACES[i][0]);
        if (json_is_integer(value) && json_integer_value(value) == 0) return true;
    }
    return false;
}

static char *run_step(runner *runner, const json_t *step) {
    const char *name = json_string_value(json_object_get(step, "do"));
    if (json_object_get(step, "join") != NULL) return join(runner, step);
    if (strcmp(name, "advance") == 0 || strcmp(name, "set_clock") == 0) {
        runner->now_ms = strcmp(name, "advance") == 0
                             ? runner->now_ms + json_integer_value(json_object_get(step, "ms"))
                             : START_MS + json_integer_value(json_object_get(step, "at"));
        face_set_clock(runner->face, runner->now_ms);
        return NULL;
    }
    if (is_default_here(step)) {
        runner->zeros++;
        return NULL;
    }
    if (json_object_get(step, "start") != NULL) {
        start(runner, step);
        return NULL;
    }
    return json_is_true(json_object_get(step, "eventually")) ? retry(runner, step) : perform(runner, step);
}

/* --- scripts --- */

static bool needs(const json_t *script, const char *feature) {
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(script, "needs"), i, item) {
        if (strcmp(json_string_value(item), feature) == 0) return true;
    }
    return false;
}

/* Whether it holds. Those that close the queue and open it again run in a file, the others in memory. */
static bool run_script(const json_t *script, const char *file, int *zeros) {
    char folder[] = "/tmp/blockqueue-XXXXXX", path[64];
    bool in_file = needs(script, "reopen");
    if (in_file && mkdtemp(folder) == NULL) die("cannot make a folder");
    snprintf(path, sizeof path, "%s/queue.db", folder);
    runner runner = {.face = face_open(in_file ? path : NULL), .saved = json_object(), .now_ms = START_MS};
    char *text = NULL;
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(script, "steps"), i, step) {
        text = run_step(&runner, step);
        if (text == NULL) continue;
        fprintf(stderr, "%s (%s): %s\n  step %zu: %s\n", json_string_value(json_object_get(script, "name")), file,
                json_string_value(json_object_get(script, "rule")), i + 1, text);
        break;
    }
    face_shutdown(runner.face);
    for (i = 0; i < runner.started_count; i++) {
        pthread_join(runner.started[i]->thread, NULL);
        free_started(runner.started[i]);
    }
    face_free(runner.face);
    json_decref(runner.saved);
    if (in_file) {
        const char *const ends[] = {"", "-wal", "-shm"};
        for (i = 0; i < 3; i++) {
            char name[80];
            snprintf(name, sizeof name, "%s%s", path, ends[i]);
            unlink(name);
        }
        rmdir(folder);
    }
    *zeros += runner.zeros;
    free(text);
    return text == NULL;
}

/* The JSON library refuses a zero in a name. Scripts that need one are left out, and zeros are tested in misuse.c. */
static json_t *load(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    if (file == NULL || getdelim(&text, &size, '\0', file) < 0) die("cannot read %s", path);
    fclose(file);
    for (char *zero = text; (zero = strstr(zero, "\\u0000")) != NULL;) memcpy(zero, "\\u0001", 6);
    json_error_t error;
    json_t *scripts = json_loads(text, 0, &error);
    if (scripts == NULL) die("%s: %s", path, error.text);
    free(text);
    return scripts;
}

int main(int count, char **arguments) {
    if (count != 2) die("usage: conformance FOLDER");
    const char *picked = getenv("CONFORMANCE_SCRIPT"), *every = getenv("CONFORMANCE_EVERY");
    int step = every == NULL ? 1 : atoi(every), seen = 0, passed = 0, failed = 0, zeros = 0;
    struct dirent **entries;
    int entry_count = scandir(arguments[1], &entries, NULL, alphasort);
    for (int i = 0; i < entry_count; i++) {
        const char *end = strrchr(entries[i]->d_name, '.');
        if (end != NULL && strcmp(end, ".json") == 0) {
            char path[512];
            snprintf(path, sizeof path, "%s/%s", arguments[1], entries[i]->d_name);
            json_t *scripts = load(path), *script;
            size_t n;
            json_array_foreach(scripts, n, script) {
                const char *name = json_string_value(json_object_get(script, "name"));
                if (picked != NULL && strstr(name, picked) == NULL) continue;
                if (step > 1 && seen++ % step != 0) continue;
                if (needs(script, "zero_in_text")) {
                    printf("skipped %s: it needs a zero in a name\n", name);
                    continue;
                }
                *(run_script(script, entries[i]->d_name, &zeros) ? &passed : &failed) += 1;
            }
            json_decref(scripts);
        }
        free(entries[i]);
    }
    free(entries);
    printf("%d scripts passed, %d failed; %d steps left out: a zero is the default here\n", passed, failed, zeros);
    return failed == 0 && passed > 0 ? 0 : 1;
}
