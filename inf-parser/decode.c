/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of an INF file to text.  Everything becomes UTF-16LE first, since
 * base/text.h turns that into UTF-8 with its surrogates as they were.
 *
 * Source: Microsoft, "General Guidelines for INF Files" (UTF-16LE with BOM or
 * ANSI), "Creating International INF Files" (UTF-16BE, the code page of the
 * locale).  UTF-8 with BOM is undocumented; there are real files of it. */
#include <errno.h>
#include <string.h>

#include "inf-parser/private.h"

static const uint32_t end_of_file = 0x1a; /* Ctrl-Z */
static const uint32_t replacement = 0xfffd;

struct source {
    const uint8_t *p, *end;
};

struct encoding {
    const char *bom;
    size_t bom_len;
    uint32_t (*next)(struct source *s); /* a code point or surrogate */
    const char *warning;
};

static uint32_t
next_utf16le(struct source *s)
{
    uint32_t c = (uint32_t)(s->p[0] | s->p[1] << 8);

    s->p += 2;
    return c;
}

static uint32_t
next_utf16be(struct source *s)
{
    uint32_t c = (uint32_t)(s->p[1] | s->p[0] << 8);

    s->p += 2;
    return c;
}

/* Windows-1252 0x80..0x9f: unicode.org, VENDORS/MICSFT/WINDOWS/CP1252.TXT;
 * the five bytes that it leaves open map to themselves, as Windows does. */
static uint32_t
next_cp1252(struct source *s)
{
    static const uint16_t high[32] = {
        0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
        0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
        0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178
    };
    uint8_t c = *s->p++;

    return c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c;
}

/* One sequence; a malformed one is a replacement character and one byte. */
static uint32_t
next_utf8(struct source *s)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t lead = *s->p++;
    size_t n = lead < 0x80   ? 1
               : lead < 0xc0 ? 0
               : lead < 0xe0 ? 2
               : lead < 0xf0 ? 3
               : lead < 0xf8 ? 4
                             : 0;
    uint32_t c = n <= 1 ? lead : lead & (0x7fU >> n);

    if (n == 0 || n - 1 > (size_t)(s->end - s->p))
        return replacement;
    for (size_t i = 0; i + 1 < n; i++) {
        if ((s->p[i] & 0xc0) != 0x80)
            return replacement;
        c = c << 6 | (s->p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return replacement;
    s->p += n - 1;
    return c;
}

static const struct encoding ansi = { "", 0, next_cp1252, NULL };
static const struct encoding utf16_by_look = {
    "", 0, next_utf16le, "UTF-16 without a byte order mark"
};
static const struct encoding with_bom[] = {
    { "\xff\xfe", 2, next_utf16le, NULL },
    { "\xfe\xff", 2, next_utf16be,
      "UTF-16 big endian: some Windows versions may refuse it" },
    { "\xef\xbb\xbf", 3, next_utf8,
      "UTF-8 with a byte order mark: Windows does not document it" },
};

/* Text of Latin letters in UTF-16LE has a NUL in every odd byte, and none in
 * the even ones; padding with NULs has both. */
static bool
looks_like_utf16le(const uint8_t *p, size_t len)
{
    size_t odd = 0, even = 0, units = len / 2;

    if (len == 0 || len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        even += p[i] == 0;
        odd += p[i + 1] == 0;
    }
    return odd >= units / 4 * 3 && even < units / 4;
}

static const struct encoding *
find_encoding(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < INF_COUNT(with_bom); i++)
        if (len >= with_bom[i].bom_len &&
            memcmp(p, with_bom[i].bom, with_bom[i].bom_len) == 0)
            return &with_bom[i];
    return looks_like_utf16le(p, len) ? &utf16_by_look : &ansi;
}

static uint8_t *
put_unit(uint8_t *out, uint32_t unit)
{
    v2v_put_le(out, unit, 2);
    return out + 2;
}

int
inf_decode(const void *data, size_t len, char **ret, const char **warning,
           struct v2v_error *err)
{
    const struct encoding *e = find_encoding(data, len);
    struct source s = { (const uint8_t *)data + e->bom_len,
                        (const uint8_t *)data + len };
    V2V_AUTO(mem) uint8_t *utf16 = malloc(2 * len + 2);
    uint8_t *out = utf16;
    char *text, *fit;

    if (utf16 == NULL)
        return v2v_fail_errno(err, errno, "INF of %zu bytes", len);
    if (e->next == next_utf16le || e->next == next_utf16be)
        s.end -= (s.end - s.p) % 2;
    while (s.p < s.end) {
        uint32_t c = e->next(&s);

        if (c == end_of_file)
            break;
        if (c >= 0x10000) {
            out = put_unit(out, 0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        out = put_unit(out, c != 0 ? c : ' ');
    }
    text = v2v_utf8_from_utf16(utf16, (size_t)(out - utf16), err);
    if (text == NULL)
        return -1;
    fit = realloc(text, strlen(text) + 1);
    *ret = fit != NULL ? fit : text;
    *warning = e->warning;
    return 0;
}

size_t
inf_units(const char *text, size_t len)
{
    size_t units = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];

        units += (c & 0xc0) != 0x80; /* every lead byte ... */
        units += c >= 0xf0;          /* ... and a pair beyond the BMP */
    }
    return units;
}
