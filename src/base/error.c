/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Controls of ASCII and ISO 8859-1, unpaired surrogates, and what ends a line
 * or turns the direction of writing (Unicode, U+2028 to U+202E). */
static bool
is_unprintable(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0xd800 && c < 0xe000);
}

void
v2v_make_printable(char *text)
{
    while (*text != '\0') {
        uint32_t c;
        size_t len = v2v_utf8_char(text, &c);

        if (len == 0 || is_unprintable(c))
            memset(text, '?', len > 0 ? len : 1);
        text += len > 0 ? len : 1;
    }
}

/* snprintf cuts anywhere; take back a UTF-8 sequence that was cut in two. */
static void
drop_partial_character(char *text, size_t size)
{
    size_t len = strlen(text), start = len;

    if (len + 1 < size)
        return;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xc0)
        text[start - 1] = '\0';
}

static void __attribute__((format(printf, 3, 0)))
set_text(struct v2v_error *err, const char *tail, const char *fmt, va_list ap)
{
    size_t used;

    vsnprintf(err->text, sizeof err->text, fmt, ap);
    used = strlen(err->text);
    if (tail != NULL)
        snprintf(err->text + used, sizeof err->text - used, ": %s", tail);
    drop_partial_character(err->text, sizeof err->text);
    v2v_make_printable(err->text);
}

void
v2v_error_set(struct v2v_error *err, enum v2v_error_code code, const char *fmt,
              ...)
{
    va_list ap;

    if (err == NULL)
        return;
    va_start(ap, fmt);
    set_text(err, NULL, fmt, ap);
    va_end(ap);
    err->code = code;
    err->finding = NULL;
}

void
v2v_error_name(struct v2v_error *err, const char *finding)
{
    if (err != NULL)
        err->finding = finding;
}

void
v2v_error_name_class(struct v2v_error *err, enum v2v_error_code code,
                     const char *finding)
{
    if (err != NULL && err->code == code && err->finding == NULL)
        err->finding = finding;
}

void
v2v_error_set_errno(struct v2v_error *err, int errnum, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return;
    va_start(ap, fmt);
    set_text(err, strerror(errnum), fmt, ap);
    va_end(ap);
    err->code = V2V_ERR_INTERNAL;
    err->finding = NULL;
}

void
v2v_error_prefix(struct v2v_error *err, const char *fmt, ...)
{
    char old[sizeof err->text];
    va_list ap;

    if (err == NULL)
        return;
    memcpy(old, err->text, sizeof old);
    va_start(ap, fmt);
    set_text(err, old, fmt, ap);
    va_end(ap);
}
