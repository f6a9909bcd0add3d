/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * base/text.h - UTF-8 outside, UTF-16LE as Windows keeps it, lists of strings
 *
 * Windows does not promise that its UTF-16 is well formed.  An unpaired
 * surrogate becomes its three-byte form in "UTF-8" here (WTF-8) and comes
 * back as it was.
 */
#ifndef V2V_BASE_TEXT_H
#define V2V_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* asprintf() with our way of failing: a new string, or NULL and @err. */
char *v2v_format(struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* strdup() and strndup() with our way of failing. */
char *v2v_strdup(const char *s, struct v2v_error *err);
char *v2v_strndup(const char *s, size_t len, struct v2v_error *err);

/* ASCII only, whatever the locale: what is compared is Windows names. */
bool v2v_equal_nocase(const char *a, const char *b);
bool v2v_has_prefix_nocase(const char *s, const char *prefix);
bool v2v_has_suffix_nocase(const char *s, const char *suffix);
void v2v_lower(char *s);
void v2v_replace_char(char *s, char from, char to);

/* What follows the last '/' of @path: a place in it, not a copy. */
const char *v2v_base_name(const char *path);

/* The code point at the start of @s, which is not empty; its length in bytes,
 * or 0 when that is no UTF-8 (or WTF-8). */
size_t v2v_utf8_char(const char *s, uint32_t *ret);

/* How many bytes of @s, at most @max, end where a character ends: for "%.*s"
 * with a text that may be long. */
int v2v_cut(const char *s, size_t max);

/**
 * v2v_utf16_from_utf8() - append @utf8 as UTF-16LE, without a NUL
 * Returns: 0, or -1 with V2V_ERR_FORMAT for a malformed sequence.
 */
int v2v_utf16_from_utf8(const char *utf8, struct v2v_bytes *out,
                        struct v2v_error *err);

/**
 * v2v_utf8_from_utf16() - a new NUL-terminated string
 * @utf16: little endian; @len: bytes, an odd last one is ignored; the text
 *         ends at a NUL or at @len
 * Returns: the string, or NULL and V2V_ERR_INTERNAL.
 */
char *v2v_utf8_from_utf16(const void *utf16, size_t len, struct v2v_error *err);

/* A list of strings; all zero is an empty one.  The list owns its strings. */
struct v2v_strings {
    char **items;
    size_t count;
};

int v2v_strings_add(struct v2v_strings *list, const char *s,
                    struct v2v_error *err);
bool v2v_strings_has_nocase(const struct v2v_strings *list, const char *s);
void v2v_strings_done(struct v2v_strings *list);

static inline void
v2v_auto_strings(struct v2v_strings *list)
{
    v2v_strings_done(list);
}

#endif
