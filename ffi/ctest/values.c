#include "values.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

/* --- references and repetitions --- */

static json_t *look_up(const char *reference, json_t *saved) {
    char path[256];
    snprintf(path, sizeof path, "%s", reference + 1);
    char *rest = NULL;
    json_t *value = saved;
    for (char *part = strtok_r(path, ".", &rest); part != NULL; part = strtok_r(NULL, ".", &rest)) {
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(part)) : json_object_get(value, part);
        if (value == NULL) die("%s was not saved", reference);
    }
    return json_deep_copy(value);
}

static json_t *repeat(json_t *unit, size_t times, json_t *saved) {
    json_t *resolved = resolve(unit, saved);
    json_t *out;
    if (json_is_string(resolved)) {
        size_t len = json_string_length(resolved);
        char *text = malloc(len * times + 1);
        for (size_t i = 0; i < times; i++) memcpy(text + i * len, json_string_value(resolved), len);
        out = json_stringn(text, len * times);
        free(text);
    } else {
        out = json_array();
        for (size_t i = 0; i < times; i++) json_array_extend(out, resolved);
    }
    json_decref(resolved);
    return out;
}

json_t *resolve(json_t *value, json_t *saved) {
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        return text[0] == '$' ? look_up(text, saved) : json_incref(value);
    }
    if (json_is_array(value)) {
        json_t *out = json_array(), *item;
        size_t i;
        json_array_foreach(value, i, item) json_array_append_new(out, resolve(item, saved));
        return out;
    }
    if (json_is_object(value)) {
        json_t *unit = json_object_get(value, "$repeat");
        if (unit != NULL) {
            return repeat(unit, (size_t)json_integer_value(json_object_get(value, "times")), saved);
        }
        json_t *out = json_object(), *member;
        const char *name;
        json_object_foreach(value, name, member) json_object_set_new(out, name, resolve(member, saved));
        return out;
    }
    return json_incref(value);
}

/* --- expectations --- */

static char *differs(const char *rule, const json_t *expected, const json_t *found) {
    char *want = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
    char *have = found == NULL ? strdup("nothing") : json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
    size_t size = strlen(rule) + 1000;
    char *text = malloc(size);
    snprintf(text, size, "%s: expected %.400s, found %.400s", rule, want, have);
    free(want);
    free(have);
    return text;
}

static bool matches(const json_t *expected, const json_t *found) {
    char *text = difference(expected, found);
    free(text);
    return text == NULL;
}

/* Whether the items from `i` on find partners, one to one. */
static bool pair(const json_t *expected, const json_t *found, size_t i, bool *taken) {
    if (i == json_array_size(expected)) return true;
    for (size_t j = 0; j < json_array_size(found); j++) {
        if (taken[j] || !matches(json_array_get(expected, i), json_array_get(found, j))) continue;
        taken[j] = true;
        if (pair(expected, found, i + 1, taken)) return true;
        taken[j] = false;
    }
    return false;
}

static char *unordered(const json_t *expected, const json_t *found) {
    size_t count = json_array_size(expected);
    if (!json_is_array(found) || json_array_size(found) != count) return differs("count", expected, found);
    bool *taken = calloc(count + 1, sizeof *taken);
    bool paired = pair(expected, found, 0, taken);
    free(taken);
    return paired ? NULL : differs("in some order", expected, found);
}

static size_t length(const json_t *value) {
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

static char *apply(const char *rule, const json_t *argument, const json_t *found) {
    bool holds;
    if (strcmp(rule, "$length") == 0) {
        bool has = json_is_array(found) || json_is_object(found);
        holds = has && length(found) == (size_t)json_integer_value(argument);
    } else if (strcmp(rule, "$unordered") == 0) {
        return unordered(argument, found);
    } else if (strcmp(rule, "$between") == 0) {
        double number = json_number_value(found);
        holds = json_is_number(found) && number >= json_number_value(json_array_get(argument, 0)) &&
                number <= json_number_value(json_array_get(argument, 1));
    } else if (strcmp(rule, "$not") == 0) {
        holds = !matches(argument, found);
    } else {
        die("there is no rule %s", rule);
    }
    return holds ? NULL : differs(rule, argument, found);
}

char *difference(const json_t *expected, const json_t *found) {
    if (json_is_null(expected)) {
        return found == NULL || json_is_null(found) ? NULL : differs("value", expected, found);
    }
    if (json_is_number(expected)) {
        bool equal = json_is_integer(expected) && json_is_integer(found)
                         ? json_integer_value(expected) == json_integer_value(found)
                         : json_is_number(found) && json_number_value(expected) == json_number_value(found);
        return equal ? NULL : differs("number", expected, found);
    }
    if (json_is_array(expected)) {
        size_t count = json_array_size(expected);
        if (!json_is_array(found) || json_array_size(found) != count) return differs("list", expected, found);
        for (size_t i = 0; i < count; i++) {
            char *text = difference(json_array_get(expected, i), json_array_get(found, i));
            if (text != NULL) return text;
        }
        return NULL;
    }
    if (json_is_object(expected)) {
        const char *name;
        json_t *member;
        json_object_foreach((json_t *)expected, name, member) {
            if (name[0] == '$' && json_object_size(expected) == 1) return apply(name, member, found);
        }
        if (!json_is_object(found)) return differs("object", expected, found);
        json_object_foreach((json_t *)expected, name, member) {
            char *text = difference(member, json_object_get(found, name));
            if (text != NULL) return text;
        }
        return NULL;
    }
    return found != NULL && json_equal(expected, found) ? NULL : differs("value", expected, found);
}

/* --- instants --- */

static bool is_instant(const char *name) {
    size_t len = strlen(name);
    return strcmp(name, "at") == 0 || (len > 3 && strcmp(name + len - 3, "_at") == 0);
}

void shift(json_t *value, int64_t by_ms) {
    json_t *member;
    if (json_is_array(value)) {
        size_t i;
        json_array_foreach(value, i, member) shift(member, by_ms);
    } else if (json_is_object(value)) {
        const char *name;
        json_object_foreach(value, name, member) {
            if (is_instant(name) && json_is_integer(member)) {
                json_integer_set(member, json_integer_value(member) + by_ms);
            } else {
                shift(member, by_ms);
            }
        }
    }
}

/* --- payloads --- */

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *decode(const char *text, size_t *len) {
    char *bytes = malloc(strlen(text) + 1);
    uint32_t bits = 0;
    int count = 0;
    *len = 0;
    for (; *text != '\0' && *text != '='; text++) {
        const char *place = strchr(ALPHABET, *text);
        if (place == NULL) die("a payload is not base64");
        bits = bits << 6 | (uint32_t)(place - ALPHABET);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[(*len)++] = (char)(bits >> count & 0xff);
        }
    }
    return bytes;
}

static char *encode(const unsigned char *data, size_t len) {
    char *text = malloc((len + 2) / 3 * 4 + 1), *end = text;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)data[i] << 16;
        if (i + 1 < len) bits |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < len) bits |= data[i + 2];
        *end++ = ALPHABET[bits >> 18];
        *end++ = ALPHABET[bits >> 12 & 63];
        *end++ = i + 1 < len ? ALPHABET[bits >> 6 & 63] : '=';
        *end++ = i + 2 < len ? ALPHABET[bits & 63] : '=';
    }
    *end = '\0';
    return text;
}

char *payload_of(const json_t *object, size_t *len) {
    const json_t *text = json_object_get(object, "payload"), *base64 = json_object_get(object, "payload_base64");
    if (json_is_string(base64)) return decode(json_string_value(base64), len);
    *len = json_is_string(text) ? json_string_length(text) : 0;
    char *bytes = malloc(*len + 1);
    if (*len > 0) memcpy(bytes, json_string_value(text), *len);
    return bytes;
}

void add_payload(json_t *object, const char *data, size_t len) {
    char *base64 = encode((const unsigned char *)data, len);
    json_object_set_new(object, "payload_base64", json_string(base64));
    free(base64);
    json_t *text = json_stringn(data, len);
    if (text != NULL) json_object_set_new(object, "payload", text);
}
