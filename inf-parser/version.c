/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "inf-parser/private.h"

static const char *const arch_names[] = {
    [INF_ARCH_X86] = "x86",     [INF_ARCH_AMD64] = "amd64",
    [INF_ARCH_ARM64] = "arm64", [INF_ARCH_IA64] = "ia64",
    [INF_ARCH_ARM] = "arm",
};

const char *
inf_arch_name(enum inf_arch arch)
{
    return arch_names[arch];
}

int
inf_value(struct inf_pool *pool, const struct inf_file *inf,
          const struct inf_section *section, const char *key, size_t field,
          const char **ret, struct v2v_error *err)
{
    for (size_t i = 0; i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(inf, section, i);
        const char *found;

        if (line.key == NULL)
            continue;
        found = inf_pool_expand(pool, inf, line.key, err);
        if (found == NULL)
            return -1;
        if (!v2v_equal_nocase(found, key))
            continue;
        *ret = inf_pool_expand(pool, inf, inf_field_raw(&line, field), err);
        return *ret != NULL ? 0 : -1;
    }
    *ret = NULL;
    return 0;
}

/* "{8-4-4-4-12}" of hexadecimal digits. */
static bool
is_guid(const char *s)
{
    static const char shape[] = "{########-####-####-####-############}";

    for (size_t i = 0; i < sizeof shape; i++) {
        bool digit = strchr("0123456789abcdefABCDEF", s[i]) != NULL;

        if (shape[i] == '#' ? !digit || s[i] == '\0' : s[i] != shape[i])
            return false;
    }
    return true;
}

/* Digits at *@s up to @max; false if there are none or the value is above. */
static bool
take_number(const char **s, unsigned long max, uint16_t *ret)
{
    size_t digits = strspn(*s, "0123456789");
    unsigned long value = strtoul(*s, NULL, 10);

    if (digits == 0 || digits > 5 || value > max)
        return false;
    *ret = (uint16_t)value;
    *s += digits;
    return true;
}

static const char *
skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

static bool
parse_date(const char *s, struct inf_driver_ver *v)
{
    static const uint8_t days[] = { 31, 29, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31 };
    struct inf_driver_ver d = { 0 };
    char separator;

    s = skip_blanks(s);
    if (!take_number(&s, 12, &d.month) || d.month == 0)
        return false;
    separator = *s;
    if ((separator != '/' && separator != '-') || s++ == NULL ||
        !take_number(&s, days[d.month - 1], &d.day) || d.day == 0 ||
        *s++ != separator)
        return false;
    if (strspn(s, "0123456789") != 4 || !take_number(&s, 9999, &d.year) ||
        d.year < 1601 || *skip_blanks(s) != '\0')
        return false; /* a FILETIME starts in 1601 */
    v->month = d.month;
    v->day = d.day;
    v->year = d.year;
    return true;
}

/* Missing parts are 0: 43 of some thousand real versions have fewer than
 * four.  Each is 0..65534 by the document. */
static bool
parse_version(const char *s, struct inf_driver_ver *v)
{
    uint16_t parts[4] = { 0 };

    s = skip_blanks(s);
    for (size_t i = 0; i < INF_COUNT(parts); i++) {
        if (!take_number(&s, 65534, &parts[i]))
            return false;
        if (*s != '.')
            break;
        s++;
    }
    if (*skip_blanks(s) != '\0')
        return false;
    memcpy(v->version, parts, sizeof parts);
    return true;
}

void
inf_driver_ver_parse(const char *date, const char *version,
                     struct inf_driver_ver *ret)
{
    *ret = (struct inf_driver_ver){ 0 };
    ret->has_date = parse_date(date, ret);
    ret->has_version = parse_version(version, ret);
}

struct reading {
    struct inf_pool *pool;
    const struct inf_file *inf;
    const struct inf_section *section;
};

static int
value(const struct reading *r, const char *key, size_t field, const char **ret,
      struct v2v_error *err)
{
    return inf_value(r->pool, r->inf, r->section, key, field, ret, err);
}

/* The document says only that an undecorated CatalogFile serves the platforms
 * without one of their own; .nt between the two is our reading. */
static int
read_catalog(const struct reading *r, enum inf_arch arch, const char **ret,
             struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *decorated = v2v_format(err, "CatalogFile.nt%s", arch_names[arch]);
    const char *keys[] = { decorated, "CatalogFile.nt", "CatalogFile" };

    if (decorated == NULL)
        return -1;
    for (size_t i = 0; i < INF_COUNT(keys); i++) {
        if (value(r, keys[i], 0, ret, err) < 0)
            return -1;
        if (*ret != NULL && **ret != '\0')
            break;
    }
    if (*ret != NULL && **ret == '\0')
        *ret = NULL;
    if (*ret != NULL && strpbrk(*ret, "\\/:") != NULL)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "CatalogFile: \"%.80s\" is not beside the INF", *ret);
    return 0;
}

static int
read_guid(const struct reading *r, const char *key, const char **ret,
          struct v2v_error *err)
{
    if (value(r, key, 0, ret, err) < 0)
        return -1;
    if (*ret != NULL && **ret == '\0')
        *ret = NULL;
    if (*ret != NULL && !is_guid(*ret))
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: \"%.80s\" is not a GUID", key,
                        *ret);
    return 0;
}

static int
read_pnp_lockdown(const struct reading *r, bool *ret, struct v2v_error *err)
{
    const char *text;
    uint32_t number = 0;

    if (value(r, "PnpLockdown", 0, &text, err) < 0)
        return -1;
    if (text != NULL && inf_integer(text, &number, err) < 0)
        return v2v_fail_in(err, "PnpLockdown");
    *ret = number == 1;
    return 0;
}

static int
read_driver_ver(const struct reading *r, struct inf_driver_ver *ret,
                struct v2v_error *err)
{
    const char *date, *version;

    if (value(r, "DriverVer", 0, &date, err) < 0 ||
        value(r, "DriverVer", 1, &version, err) < 0)
        return -1;
    inf_driver_ver_parse(date != NULL ? date : "",
                         version != NULL ? version : "", ret);
    return 0;
}

/* The raw Provider is wanted beside the expanded one. */
static int
read_provider(const struct reading *r, struct inf_version *v,
              struct v2v_error *err)
{
    for (size_t i = 0; i < inf_line_count(r->section); i++) {
        struct inf_line line = inf_line_at(r->inf, r->section, i);

        if (line.key == NULL || !v2v_equal_nocase(line.key, "Provider"))
            continue;
        v->provider_raw = inf_field_raw(&line, 0);
        v->provider = inf_pool_expand(r->pool, r->inf, v->provider_raw, err);
        return v->provider != NULL ? 0 : -1;
    }
    return 0;
}

int
inf_version_parse(const struct inf_file *inf, enum inf_arch arch,
                  struct inf_version *ret, struct v2v_error *err)
{
    V2V_AUTO(inf_pool) struct inf_pool *pool = inf_pool_new(err);
    struct reading r = { pool, inf, inf_section_find(inf, "Version") };
    struct inf_version v = { 0 };

    if (pool == NULL)
        return -1;
    if (value(&r, "Class", 0, &v.class_name, err) < 0 ||
        read_guid(&r, "ClassGuid", &v.class_guid, err) < 0 ||
        read_guid(&r, "ExtensionId", &v.extension_id, err) < 0 ||
        read_provider(&r, &v, err) < 0 ||
        read_catalog(&r, arch, &v.catalog, err) < 0 ||
        value(&r, "LayoutFile", 0, &v.layout_file, err) < 0 ||
        read_driver_ver(&r, &v.driver_ver, err) < 0 ||
        read_pnp_lockdown(&r, &v.pnp_lockdown, err) < 0)
        return v2v_fail_in(err, "[Version]");
    v.pool = v2v_steal(pool);
    *ret = v;
    return 0;
}

void
inf_version_done(struct inf_version *version)
{
    inf_pool_free(version->pool);
    *version = (struct inf_version){ 0 };
}
