/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "batch/manifest-private.h"
#include "catalog/sha256.h"

/* Twice the room whenever the count is a power of two: there are many. */
static int
grow(struct manifest *manifest, struct v2v_error *err)
{
    size_t count = manifest->count;
    struct manifest_line *lines;

    if ((count & (count - 1)) != 0)
        return 0;
    lines =
        reallocarray(manifest->lines, count > 0 ? 2 * count : 1, sizeof *lines);
    if (lines == NULL)
        return v2v_fail_errno(err, errno, "manifest");
    manifest->lines = lines;
    return 0;
}

struct manifest_line *
manifest_add(struct manifest *manifest, size_t number, struct v2v_error *err)
{
    struct manifest_line *line;

    if (manifest->count == MANIFEST_MAX_LINES) {
        v2v_error_set(err, V2V_ERR_FORMAT, "line %zu: more than %d machines",
                      number, MANIFEST_MAX_LINES);
        return NULL;
    }
    if (grow(manifest, err) < 0)
        return NULL;
    line = &manifest->lines[manifest->count++];
    *line = (struct manifest_line){ .number = number };
    return line;
}

static void
forget_fields(struct manifest_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        free(line->fields[i].name);
        free(line->fields[i].value);
    }
    free(line->fields);
    line->fields = NULL;
    line->count = 0;
}

int
manifest_spoil(struct manifest_line *line, struct v2v_error *err,
               const char *fmt, ...)
{
    struct v2v_error why = { 0 };
    va_list ap;

    if (line->problem != NULL)
        return 0;
    va_start(ap, fmt);
    vsnprintf(why.text, sizeof why.text, fmt, ap);
    va_end(ap);
    v2v_make_printable(why.text);
    forget_fields(line);
    line->problem = v2v_strdup(why.text, err);
    return line->problem == NULL ? -1 : 0;
}

static bool
has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

int
manifest_say(struct manifest_line *line, const char *name, const char *value,
             struct v2v_error *err)
{
    struct manifest_field *fields, field;

    if (line->problem != NULL || *value == '\0')
        return 0;
    if (has_control(value) || has_control(name))
        return manifest_spoil(line, err,
                              "%s: a line break or another control "
                              "character",
                              name);
    if (line->count == MANIFEST_MAX_FIELDS)
        return manifest_spoil(line, err, "more than %d values",
                              MANIFEST_MAX_FIELDS);
    fields = reallocarray(line->fields, line->count + 1, sizeof *fields);
    if (fields == NULL)
        return v2v_fail_errno(err, errno, "manifest");
    line->fields = fields;
    field = (struct manifest_field){ v2v_strdup(name, err),
                                     v2v_strdup(value, err) };
    fields[line->count++] = field;
    return field.name == NULL || field.value == NULL ? -1 : 0;
}

size_t
manifest_line_end(const char *text, size_t len, size_t at)
{
    const char *end = memchr(text + at, '\n', len - at);

    return end != NULL ? (size_t)(end - text) + 1 : len;
}

/* Everything else may then take it for strings. */
static int
check_text(const char *text, size_t len, struct v2v_error *err)
{
    size_t number = 1;

    if (len >= 2 &&
        (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return v2v_fail(err, V2V_ERR_FORMAT, "UTF-16: save it as UTF-8");
    for (size_t at = 0, step; at < len; at += step) {
        uint32_t c;

        step = text[at] != '\0' ? v2v_utf8_char(text + at, &c) : 0;
        if (step == 0)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "line %zu: not UTF-8 text: save it as UTF-8",
                            number);
        number += text[at] == '\n';
    }
    return 0;
}

static int
digest(const void *data, size_t len, struct manifest *ret,
       struct v2v_error *err)
{
    const struct catalog_piece piece = { data, len };
    uint8_t bytes[CATALOG_SHA256_LEN];

    if (catalog_sha256(&piece, 1, bytes, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret->digest + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int
parse_text(const char *text, size_t len, struct manifest *manifest,
           struct v2v_error *err)
{
    static const char bom[3] = "\xef\xbb\xbf";
    size_t blank;

    if (check_text(text, len, err) < 0)
        return -1;
    if (len >= sizeof bom && memcmp(text, bom, sizeof bom) == 0) {
        text += sizeof bom;
        len -= sizeof bom;
    }
    blank = strspn(text, " \t\r\n");
    if (text[blank] == '[')
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "one JSON array: JSON Lines has an object a line, with "
                        "nothing around them: jq -c '.[]' makes that of it");
    if ((text[blank] == '{' ? manifest_parse_json
                            : manifest_parse_csv)(text, len, manifest, err) < 0)
        return -1;
    if (manifest->count == 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "no machine in it");
    return 0;
}

int
manifest_parse(const void *data, size_t len, struct manifest *ret,
               struct v2v_error *err)
{
    V2V_AUTO(manifest) struct manifest manifest = { 0 };
    V2V_AUTO(mem) char *text = NULL;

    if (len > MANIFEST_MAX_BYTES)
        return v2v_fail(err, V2V_ERR_FORMAT, "larger than %d MiB",
                        MANIFEST_MAX_BYTES >> 20);
    text = calloc(1, len + 1); /* UTF-8 is read up to its NUL */
    if (text == NULL)
        return v2v_fail_errno(err, errno, "manifest");
    memcpy(text, data, len);
    if (parse_text(text, len, &manifest, err) < 0 ||
        digest(data, len, &manifest, err) < 0)
        return -1;
    *ret = manifest;
    manifest = (struct manifest){ 0 };
    return 0;
}

int
manifest_read(const char *path, struct manifest *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };

    if (v2v_file_read(path, MANIFEST_MAX_BYTES, &data, err) < 0)
        return -1;
    if (manifest_parse(data.len > 0 ? (const void *)data.data : "", data.len,
                       ret, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}

void
manifest_done(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++) {
        forget_fields(&manifest->lines[i]);
        free(manifest->lines[i].problem);
    }
    free(manifest->lines);
    *manifest = (struct manifest){ 0 };
}
