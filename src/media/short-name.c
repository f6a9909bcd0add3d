/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "media/media.h"

enum {
    short_stem = 8, /* ECMA-119 10.1 */
    short_extension = 3,
    renamed_stem = 5, /* genisoimage: PVPAN000 */
    renamed_digits = 3,
    tilde_stem = 6 /* VFAT: PVPANI~1 */
};

struct parts {
    const char *stem;
    size_t stem_len;
    const char *extension; /* "" when there is none */
};

static struct parts
split(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot == NULL)
        return (struct parts){ name, strlen(name), "" };
    return (struct parts){ name, (size_t)(dot - name), dot + 1 };
}

static char
plain(char c)
{
    unsigned char u = (unsigned char)c;

    if (u >= 0x80 || !(isalnum(u) || u == '_'))
        return '_';
    return (char)toupper(u);
}

/* genisoimage lets the '.' of a folder's name be: "W8.1". */
static bool
begins_as(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (plain(a[i]) != plain(b[i]))
            return false;
    }
    return true;
}

static bool
all_digits(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
    }
    return len > 0;
}

static bool
is_short_extension(const char *name, const char *wanted)
{
    size_t len = strlen(name), wanted_len = strlen(wanted);

    return len <= wanted_len && begins_as(name, wanted, len) &&
           (len == wanted_len || len == short_extension);
}

static bool
is_cut(const struct parts *name, const struct parts *wanted)
{
    return begins_as(name->stem, wanted->stem, name->stem_len) &&
           (name->stem_len == wanted->stem_len || name->stem_len >= short_stem);
}

static bool
has_tilde(const struct parts *name, const struct parts *wanted)
{
    const char *tilde = memchr(name->stem, '~', name->stem_len);
    size_t len = tilde != NULL ? (size_t)(tilde - name->stem) : 0;

    return len > 0 && len <= tilde_stem && len <= wanted->stem_len &&
           name->stem_len <= short_stem &&
           all_digits(tilde + 1, name->stem_len - len - 1) &&
           begins_as(name->stem, wanted->stem, len);
}

static bool
is_renamed(const struct parts *name, const struct parts *wanted)
{
    return name->stem_len == renamed_stem + renamed_digits &&
           wanted->stem_len > renamed_stem &&
           all_digits(name->stem + renamed_stem, renamed_digits) &&
           begins_as(name->stem, wanted->stem, renamed_stem);
}

bool
media_is_short_for(const char *name, const char *wanted)
{
    struct parts a = split(name), b = split(wanted);

    if (strlen(name) == strlen(wanted) && begins_as(name, wanted, strlen(name)))
        return true;
    if (!is_short_extension(a.extension, b.extension))
        return false;
    if (a.stem_len <= b.stem_len && is_cut(&a, &b))
        return true;
    return has_tilde(&a, &b) || is_renamed(&a, &b);
}
