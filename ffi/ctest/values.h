/* The values of the scripts: references, expectations, instants, payloads. See tests/conformance/README.md. */

#ifndef VALUES_H
#define VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2026-01-01T00:00:00Z, when every script starts. */
#define START_MS INT64_C(1767225600000)

/* A copy of `value` with what was saved and what is repeated in its place. Exits if a reference is wrong. */
json_t *resolve(json_t *value, json_t *saved);

/* NULL if the value is as expected, or else a text that says what differs; free it. */
char *difference(const json_t *expected, const json_t *found);

/* Moves all instants of a value by so much. */
void shift(json_t *value, int64_t by_ms);

/* The bytes of a payload, given as text or base64; free them. Neither means none. */
char *payload_of(const json_t *object, size_t *len);

/* Adds a payload, as base64 and as text where it is text. */
void add_payload(json_t *object, const char *data, size_t len);

/* Ends the program with a message. */
_Noreturn void die(const char *format, ...);

#endif
