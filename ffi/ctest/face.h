/* Carries out the operations of the scripts by the C ABI. */

#ifndef FACE_H
#define FACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A queue of its own, whose clock the script moves. */
typedef struct face face;

/* What an operation answered: a value, or the code that it was refused with. */
typedef struct answer {
    json_t *value;
    char code[64];
    char detail[512];
    int64_t index;
} answer;

/* With a path it is in that file, else in memory. */
face *face_open(const char *path);
answer face_perform(face *face, json_t *operation);
void face_set_clock(face *face, int64_t at_ms);
/* Ends waiting claims. */
void face_shutdown(face *face);
void face_free(face *face);

#endif
