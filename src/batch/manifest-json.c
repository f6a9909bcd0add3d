/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A manifest as JSON Lines. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "batch/manifest-private.h"

static inline void
v2v_auto_json(json_t **value)
{
    json_decref(*value);
}

static int
say_number(struct manifest_line *line, const char *name, json_int_t number,
           struct v2v_error *err)
{
    char text[32];

    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, number);
    return manifest_say(line, name, text, err);
}

static int
say_value(struct manifest_line *line, const char *name, const json_t *value,
          struct v2v_error *err)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return manifest_say(line, name, json_string_value(value), err);
    case JSON_INTEGER:
        return say_number(line, name, json_integer_value(value), err);
    case JSON_TRUE:
    case JSON_FALSE:
        return manifest_say(line, name, json_is_true(value) ? "yes" : "no",
                            err);
    case JSON_NULL:
        return 0;
    default:
        return manifest_spoil(line, err,
                              "%s: neither a text nor a whole number nor a "
                              "list of texts",
                              name);
    }
}

static int
say_all(struct manifest_line *line, const char *name, const json_t *value,
        struct v2v_error *err)
{
    if (!json_is_array(value))
        return say_value(line, name, value, err);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        int result =
            json_is_string(item)
                ? say_value(line, name, item, err)
                : manifest_spoil(line, err, "%s: a list has texts only", name);

        if (result < 0)
            return -1;
    }
    return 0;
}

static int
read_line(const char *text, size_t len, struct manifest_line *line,
          struct v2v_error *err)
{
    json_error_t why;
    V2V_AUTO(json)
    json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    const char *name;
    json_t *value;

    if (object == NULL)
        return manifest_spoil(line, err, "malformed JSON at byte %d: %s",
                              why.position, why.text);
    if (!json_is_object(object))
        return manifest_spoil(line, err, "not a JSON object, {...}");
    json_object_foreach(
        object, name, value) if (say_all(line, name, value, err) < 0) return -1;
    return 0;
}

int
manifest_parse_json(const char *text, size_t len, struct manifest *manifest,
                    struct v2v_error *err)
{
    size_t number = 1;

    for (size_t at = 0, end; at < len; at = end, number++) {
        struct manifest_line *line;

        end = manifest_line_end(text, len, at);
        if (at + strspn(text + at, " \t\r\n") >= end)
            continue;
        line = manifest_add(manifest, number, err);
        if (line == NULL || read_line(text + at, end - at, line, err) < 0)
            return -1;
    }
    return 0;
}
