/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/report-markup.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* C0, C1, lone surrogates, and what Unicode has for steering lines and their
 * direction: a name must not look like another.
 * Source: Unicode Technical Report 36, section 2.4 (bidirectional text). */
static bool
is_shown(uint32_t c)
{
    return !(c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
             (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
             (c >= 0x2060 && c <= 0x206f) || (c >= 0xd800 && c < 0xe000) ||
             c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
             (c & 0xfffe) == 0xfffe);
}

/* What HTML would not take as text; NULL: it does. */
static const char *
escape(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return is_shown(c) ? NULL : "\xef\xbf\xbd";
    }
}

static void
put_text(FILE *to, const char *text)
{
    while (*text != '\0') {
        uint32_t c = 0;
        size_t len = v2v_utf8_char(text, &c);
        const char *as = escape(c);

        if (as != NULL)
            fputs(as, to);
        else
            fwrite(text, 1, len, to);
        text += len > 0 ? len : 1;
    }
}

/* One conversion; @fmt is after its '%'.  Returns what follows it. */
static const char *
convert(FILE *to, const char *fmt, va_list *ap)
{
    if (*fmt == 's') {
        const char *text = va_arg(*ap, const char *);

        put_text(to, text != NULL ? text : "");
        return fmt + 1;
    }
    if (*fmt == 'u') {
        fprintf(to, "%u", va_arg(*ap, unsigned));
        return fmt + 1;
    }
    if (strncmp(fmt, "zu", 2) == 0) {
        fprintf(to, "%zu", va_arg(*ap, size_t));
        return fmt + 2;
    }
    if (strncmp(fmt, ".1f", 3) == 0) {
        fprintf(to, "%.1f", va_arg(*ap, double));
        return fmt + 3;
    }
    assert(*fmt == '%');
    putc('%', to);
    return fmt + 1;
}

void
markup(FILE *to, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    while (*fmt != '\0') {
        size_t plain = strcspn(fmt, "%");

        fwrite(fmt, 1, plain, to);
        fmt += plain;
        if (*fmt == '%')
            fmt = convert(to, fmt + 1, &ap);
    }
    va_end(ap);
}
