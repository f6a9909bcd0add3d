/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char *
v2v_format(struct v2v_error *err, const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        v2v_error_set_errno(err, ENOMEM, "formatting text");
        return NULL;
    }
    return s;
}

char *
v2v_strdup(const char *s, struct v2v_error *err)
{
    return v2v_strndup(s, strlen(s), err);
}

char *
v2v_strndup(const char *s, size_t len, struct v2v_error *err)
{
    char *copy = strndup(s, len);

    if (copy == NULL)
        v2v_error_set_errno(err, errno, "copying text");
    return copy;
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
v2v_equal_nocase(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b))
        a++, b++;
    return lower(*a) == lower(*b);
}

bool
v2v_has_prefix_nocase(const char *s, const char *prefix)
{
    while (*prefix != '\0' && lower(*s) == lower(*prefix))
        s++, prefix++;
    return *prefix == '\0';
}

bool
v2v_has_suffix_nocase(const char *s, const char *suffix)
{
    size_t len = strlen(s), n = strlen(suffix);

    return n <= len && v2v_equal_nocase(s + len - n, suffix);
}

void
v2v_lower(char *s)
{
    for (; *s != '\0'; s++)
        *s = lower(*s);
}

void
v2v_replace_char(char *s, char from, char to)
{
    for (; *s != '\0'; s++)
        if (*s == from)
            *s = to;
}

const char *
v2v_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int
add_unit(struct v2v_bytes *out, uint32_t unit, struct v2v_error *err)
{
    return v2v_bytes_add_le(out, unit, 2, err);
}

size_t
v2v_utf8_char(const char *text, uint32_t *ret)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc0 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf8 ? 4
                             : 0;
    uint32_t c = n <= 1 ? s[0] : s[0] & (0x7fU >> n);

    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (n == 0 || c < least[n] || c > 0x10ffff)
        return 0;
    *ret = c;
    return n;
}

int
v2v_cut(const char *s, size_t max)
{
    uint32_t c;
    size_t len = 0, n;

    while (s[len] != '\0' && (n = v2v_utf8_char(s + len, &c)) > 0 &&
           len + n <= max)
        len += n;
    return (int)len;
}

int
v2v_utf16_from_utf8(const char *utf8, struct v2v_bytes *out,
                    struct v2v_error *err)
{
    const char *s = utf8;

    while (*s != '\0') {
        uint32_t c = 0;
        size_t n = v2v_utf8_char(s, &c);

        if (n == 0)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "malformed UTF-8 at byte %zu of \"%s\"",
                            (size_t)(s - utf8), utf8);
        s += n;
        if (c >= 0x10000 &&
            (add_unit(out, 0xd800 + ((c - 0x10000) >> 10), err) < 0 ||
             add_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff), err) < 0))
            return -1;
        if (c < 0x10000 && add_unit(out, c, err) < 0)
            return -1;
    }
    return 0;
}

static size_t
encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

char *
v2v_utf8_from_utf16(const void *utf16, size_t len, struct v2v_error *err)
{
    const uint8_t *p = utf16;
    size_t units = len / 2, used = 0;
    char *out;

    if (units > (SIZE_MAX - 1) / 3 || (out = malloc(units * 3 + 1)) == NULL) {
        v2v_error_set_errno(err, ENOMEM, "text of %zu bytes", len);
        return NULL;
    }
    for (size_t i = 0; i < units; i++) {
        uint32_t c = (uint32_t)(p[2 * i] | p[2 * i + 1] << 8);
        uint32_t next = 0;

        if (c == 0)
            break;
        if (c >= 0xd800 && c < 0xdc00 && i + 1 < units)
            next = (uint32_t)(p[2 * i + 2] | p[2 * i + 3] << 8);
        if (next >= 0xdc00 && next < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00);
            i++;
        }
        used += encode(c, out + used);
    }
    out[used] = '\0';
    return out;
}

int
v2v_strings_add(struct v2v_strings *list, const char *s, struct v2v_error *err)
{
    char **items = reallocarray(list->items, list->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "list of %zu strings", list->count);
    list->items = items;
    items[list->count] = v2v_strdup(s, err);
    if (items[list->count] == NULL)
        return -1;
    list->count++;
    return 0;
}

bool
v2v_strings_has_nocase(const struct v2v_strings *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++)
        if (v2v_equal_nocase(list->items[i], s))
            return true;
    return false;
}

void
v2v_strings_done(struct v2v_strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct v2v_strings){ 0 };
}
