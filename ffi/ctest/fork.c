/* A program of its own: what a child leaves behind when it goes looks like a leak, and is its parent's. */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* The child of a fork is told so, and works with a queue of its own. */
static void a_handle_in_a_forked_child(void) {
    bq_queue *queue = queue_with_topic();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        REFUSED(BQ_FORKED, "forked", bq_queue_publish(queue, BQ_LITERAL("t"), BQ_LITERAL("x"), NULL, NULL, &error));
        OK(bq_queue_free(queue));
        bq_queue *own = queue_with_topic();
        publish_n(own, 1);
        close_queue(own);
        _exit(0);
    }
    int outcome;
    CHECK(waitpid(child, &outcome, 0) == child && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0);
    publish_n(queue, 1);
    close_queue(queue);
}

static atomic_bool is_over;

/* Makes and frees handles, so that their table is locked half of the time. */
static void *busy(void *unused) {
    (void)unused;
    while (!is_over) {
        bq_token *token;
        OK(bq_token_new(&token, NULL));
        OK(bq_token_free(token));
    }
    return NULL;
}

/* A child makes handles of its own, whatever its parent's threads were doing. */
static void a_child_of_a_busy_program(void) {
    /* Forks are noticed from the first queue on. */
    bq_queue *queue = queue_with_topic();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, busy, NULL) == 0);
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            /* One that hangs is ended. */
            alarm(20);
            /* In each part of the table. */
            for (int j = 0; j < 16; j++) {
                bq_token *token;
                OK(bq_token_new(&token, NULL));
                OK(bq_token_free(token));
            }
            _exit(0);
        }
        int outcome;
        CHECK(waitpid(child, &outcome, 0) == child && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0);
    }
    is_over = true;
    for (int i = 0; i < 3; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    close_queue(queue);
}

int main(void) {
    a_handle_in_a_forked_child();
    a_child_of_a_busy_program();
    puts("fork: ok");
    return 0;
}
