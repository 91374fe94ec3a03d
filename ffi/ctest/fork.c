/* A program of its own: what a child leaves behind when it goes looks like a leak, and is its parent's. */

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

int main(void) {
    a_handle_in_a_forked_child();
    puts("fork: ok");
    return 0;
}
