/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "inf-parser/private.h"

/* How well a section name serves a language, best first; "INF Strings
 * Section" has these steps. */
enum fit { FIT_EXACT, FIT_NEUTRAL, FIT_SAME_PRIMARY, FIT_PLAIN, FIT_NONE };

static const unsigned primary_mask = 0x3ff; /* PRIMARYLANGID() of winnt.h */

static enum fit
language_fit(const char *name, unsigned langid)
{
    static const char base[] = "Strings";
    unsigned found;
    char more;

    if (!v2v_has_prefix_nocase(name, base))
        return FIT_NONE;
    name += sizeof base - 1;
    if (*name == '\0')
        return FIT_PLAIN;
    if (strlen(name) != 5 || strspn(name + 1, "0123456789abcdefABCDEF") != 4 ||
        sscanf(name, ".%4x%c", &found, &more) != 1)
        return FIT_NONE;
    return found == langid                              ? FIT_EXACT
           : found == (langid & primary_mask)           ? FIT_NEUTRAL
           : (found ^ langid) % (primary_mask + 1) == 0 ? FIT_SAME_PRIMARY
                                                        : FIT_NONE;
}

int
inf_set_language(struct inf_file *inf, uint16_t langid, struct v2v_error *err)
{
    const struct inf_section *chosen = NULL;
    enum fit best = FIT_NONE;
    struct inf_index_item *items;
    size_t used = 0;

    for (size_t i = 0; i < inf->section_count; i++) {
        const struct inf_section *s = &inf->sections[i];
        enum fit fit = language_fit(inf_section_name(inf, s), langid);

        if (fit < best) {
            best = fit;
            chosen = s;
        }
    }
    items =
        calloc(chosen != NULL ? inf_line_count(chosen) + 1 : 1, sizeof *items);
    if (items == NULL)
        return v2v_fail_errno(err, errno, "[Strings]");
    for (size_t i = 0; chosen != NULL && i < inf_line_count(chosen); i++) {
        struct inf_line line = inf_line_at(inf, chosen, i);

        if (line.key != NULL)
            items[used++] = (struct inf_index_item){ line.key, (uint32_t)i };
    }
    free(inf->strings.items);
    inf->strings = (struct inf_index){ items, used };
    inf->strings_section = chosen;
    inf_index_sort(&inf->strings);
    return 0;
}

/* "12", "-1", "+12"; not "0x0c": tests that pass on Windows say so. */
static bool
directory_id(const char *name, size_t len, int *ret)
{
    char digits[12], *end;
    size_t sign = len > 0 && (name[0] == '-' || name[0] == '+');
    long value;

    if (len == sign || len >= sizeof digits ||
        strspn(name + sign, "0123456789") < len - sign)
        return false;
    memcpy(digits, name, len);
    digits[len] = '\0';
    value = strtol(digits, &end, 10);
    if (value < INT_MIN || value > INT_MAX)
        return false;
    *ret = (int)value;
    return true;
}

/* A path's end backslash and one that follows the token are one. */
static const char *
add_directory(struct v2v_bytes *out, const char *path, const char *rest,
              struct v2v_error *err)
{
    size_t len = strlen(path);

    if (len > 0 && path[len - 1] == '\\' && *rest == '\\')
        len--;
    return v2v_bytes_add(out, path, len, err) < 0 ? NULL : rest;
}

/* The token at @p, whose other percent is at @end; what follows, or NULL. */
static const char *
add_token(const struct inf_file *inf, const char *p, const char *end,
          const struct inf_dirs *dirs, struct v2v_bytes *out,
          struct v2v_error *err)
{
    size_t len = (size_t)(end - p - 1);
    const char *path = NULL;
    int64_t found;
    int id;

    if (len == 0)
        return v2v_bytes_add(out, "%", 1, err) < 0 ? NULL : end + 1;
    found = inf_index_find(&inf->strings, p + 1, len);
    if (found >= 0) {
        struct inf_line line =
            inf_line_at(inf, inf->strings_section, (size_t)found);
        const char *value = inf_field_raw(&line, 0);

        return v2v_bytes_add(out, value, strlen(value), err) < 0 ? NULL
                                                                 : end + 1;
    }
    if (dirs != NULL && directory_id(p + 1, len, &id))
        path = dirs->path(dirs->opaque, id);
    if (path != NULL)
        return add_directory(out, path, end + 1, err);
    return v2v_bytes_add(out, p, len + 2, err) < 0 ? NULL : end + 1;
}

/* One step of the scan: literal text, or a token. */
static const char *
add_next(const struct inf_file *inf, const char *p, const struct inf_dirs *dirs,
         struct v2v_bytes *out, struct v2v_error *err)
{
    const char *end = *p == '%' ? strchr(p + 1, '%') : NULL;
    size_t len;

    if (end != NULL)
        return add_token(inf, p, end, dirs, out, err);
    len = *p == '%' ? strlen(p) : strcspn(p, "%");
    return v2v_bytes_add(out, p, len, err) < 0 ? NULL : p + len;
}

char *
inf_expand(const struct inf_file *inf, const char *raw,
           const struct inf_dirs *dirs, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };

    while (raw != NULL && *raw != '\0' && out.len <= 3 * INF_FIELD_MAX)
        raw = add_next(inf, raw, dirs, &out, err);
    if (raw == NULL)
        return NULL;
    if (inf_units((const char *)out.data, out.len) > INF_FIELD_MAX) {
        v2v_error_set(err, V2V_ERR_FORMAT,
                      "\"%.40s...\" is longer than %d characters after "
                      "substitution",
                      (const char *)out.data, INF_FIELD_MAX);
        return NULL;
    }
    return v2v_strndup(out.len > 0 ? (const char *)out.data : "", out.len, err);
}

int
inf_integer(const char *text, uint32_t *ret, struct v2v_error *err)
{
    bool negative = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    const char *set = hex ? "0123456789abcdefABCDEF" : "0123456789";
    unsigned long long value;

    digits += hex ? 2 : 0;
    if (*text == '\0') {
        *ret = 0;
        return 0;
    }
    if (*digits == '\0' || digits[strspn(digits, set)] != '\0')
        return v2v_fail(err, V2V_ERR_FORMAT, "\"%.40s\" is not a number", text);
    errno = 0;
    value = strtoull(digits, NULL, hex ? 16 : 10);
    if (errno != 0 || value > UINT32_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "%.40s is above 32 bits", text);
    *ret = negative ? 0U - (uint32_t)value : (uint32_t)value;
    return 0;
}
