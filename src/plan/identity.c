/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which package of the guest's driver store the driver is: one that is there,
 * or a new one with a free oemN.inf. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "plan/plan-private.h"

/* Layout of the Version value; every package of hives of Windows 8.1 to 10
 * 2004 has it so. */
enum {
    VERSION_HEAD = 0x00,  /* u16 0xff00 for an added package (oemN.inf) */
    VERSION_ARCH = 0x02,  /* u16 PROCESSOR_ARCHITECTURE_* */
    VERSION_CLASS = 0x08, /* GUID */
    VERSION_DATE = 0x18,  /* u64 FILETIME of the DriverVer date, 00:00 UTC */
    VERSION_NUMBER = 0x20 /* u64, the first of the four parts highest */
};

/* Days from 1601-01-01, where FILETIME begins, in the Gregorian calendar. */
static uint64_t
days_since_1601(unsigned year, unsigned month, unsigned day)
{
    static const unsigned before[] = { 0,   31,  59,  90,  120, 151,
                                       181, 212, 243, 273, 304, 334 };
    unsigned y = year - 1601;
    unsigned leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 + before[month - 1] +
           (month > 2 ? leap : 0) + day - 1;
}

static uint64_t
driver_date(const struct inf_driver_ver *ver)
{
    static const uint64_t filetime_per_day = UINT64_C(864000000000);

    if (!ver->has_date || ver->year < 1601)
        return 0;
    return days_since_1601(ver->year, ver->month, ver->day) * filetime_per_day;
}

/* "{4D36E97B-E325-11CE-BFC1-08002BE10318}" as Windows stores it: the first
 * three parts little endian. */
static void
put_guid(uint8_t *out, const char *text)
{
    unsigned a = 0, b = 0, c = 0, d[8] = { 0 };

    sscanf(text, "{%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x}", &a, &b, &c, &d[0],
           &d[1], &d[2], &d[3], &d[4], &d[5], &d[6], &d[7]);
    v2v_put_le(out, a, 4);
    v2v_put_le(out + 4, b, 2);
    v2v_put_le(out + 6, c, 2);
    for (size_t i = 0; i < 8; i++)
        out[8 + i] = (uint8_t)d[i];
}

/* winnt.h, PROCESSOR_ARCHITECTURE_*; 9 was read in hives, 0 and 12 follow the
 * header. */
static unsigned
processor_architecture(enum inf_arch arch)
{
    return arch == INF_ARCH_AMD64 ? 9 : arch == INF_ARCH_ARM64 ? 12 : 0;
}

void
plan_version(const struct driver_package *driver, enum inf_arch arch,
             uint8_t ret[FACTS_VERSION_LEN])
{
    const struct inf_driver_ver *ver = &driver->version.driver_ver;

    memset(ret, 0, FACTS_VERSION_LEN);
    v2v_put_le(ret + VERSION_HEAD, 0xff00, 2);
    v2v_put_le(ret + VERSION_ARCH, processor_architecture(arch), 2);
    if (driver->version.class_guid != NULL)
        put_guid(ret + VERSION_CLASS, driver->version.class_guid);
    v2v_put_le(ret + VERSION_DATE, driver_date(ver), 8);
    for (size_t i = 0; i < 4; i++)
        v2v_put_le(ret + VERSION_NUMBER + 2 * (3 - i), ver->version[i], 2);
}

/* Windows takes the later date, then the higher version (Microsoft, "How
 * Windows selects a driver package"). */
static int
compare_versions(const uint8_t *a, const uint8_t *b)
{
    for (size_t at = VERSION_DATE; at <= VERSION_NUMBER; at += 8) {
        uint64_t x = v2v_get_le(a + at, 8), y = v2v_get_le(b + at, 8);

        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static bool
is_same_driver(const struct facts_package *there, const char *inf_name,
               const uint8_t *version)
{
    return there->has_version && v2v_equal_nocase(there->inf_name, inf_name) &&
           memcmp(there->version + VERSION_ARCH, version + VERSION_ARCH,
                  VERSION_DATE - VERSION_ARCH) == 0;
}

static bool
number_is_free(const struct planning *p, unsigned n, const char *oem_inf)
{
    const struct v2v_bytes *map = &p->facts->oem_inf_map;

    if (n / 8 < map->len && (map->data[n / 8] & (0x80 >> n % 8)) != 0)
        return false;
    if (v2v_strings_has_nocase(&p->facts->oem_infs, oem_inf))
        return false;
    for (size_t i = 0; i + 1 < p->plan->package_count; i++)
        if (v2v_equal_nocase(p->plan->packages[i].oem_inf, oem_inf))
            return false;
    return true;
}

/* Windows takes the lowest free number and reuses gaps (seen with DISM). */
static char *
free_oem_inf(const struct planning *p, struct v2v_error *err)
{
    for (unsigned n = 0; n < FACTS_OEM_MAX; n++) {
        V2V_AUTO(mem) char *name = v2v_format(err, "oem%u.inf", n);

        if (name == NULL)
            return NULL;
        if (number_is_free(p, n, name))
            return v2v_steal(name);
    }
    v2v_error_set(err, V2V_ERR_GUEST, "no oemN.inf below oem%d.inf is free",
                  FACTS_OEM_MAX);
    return NULL;
}

static int
identify_new(struct planning *p, struct v2v_error *err)
{
    struct plan_package *package = p->package;

    package->oem_inf = free_oem_inf(p, err);
    if (package->oem_inf == NULL)
        return -1;
    /* The 16 digits are Windows' own hash, whose algorithm is not public; any
     * are accepted.  The content's hash makes a second run find the first. */
    package->name =
        v2v_format(err, "%s_%s_%s", p->driver->inf_name,
                   inf_arch_name(p->facts->target.arch), p->driver->content_id);
    if (package->name == NULL)
        return -1;
    v2v_lower(package->name);
    return 0;
}

static int
identify_known(struct planning *p, const struct facts_package *there,
               struct v2v_error *err)
{
    p->package->hive = there->hive;
    p->package->oem_inf = v2v_strdup(there->oem_inf, err);
    p->package->name = v2v_strdup(there->name, err);
    return p->package->oem_inf == NULL || p->package->name == NULL ? -1 : 0;
}

/* The newest package of the guest's that is ours or newer; NULL: none. */
static const struct facts_package *
find_newest(const struct planning *p, const uint8_t *version)
{
    const struct facts_package *newest = NULL;

    for (size_t i = 0; i < p->facts->package_count; i++) {
        const struct facts_package *there = &p->facts->packages[i];

        if (is_same_driver(there, p->driver->inf_name, version) &&
            compare_versions(there->version, version) >= 0 &&
            (newest == NULL ||
             compare_versions(there->version, newest->version) > 0))
            newest = there;
    }
    return newest;
}

int
plan_identify(struct planning *p, struct v2v_error *err)
{
    uint8_t version[FACTS_VERSION_LEN];
    const struct facts_package *there;

    plan_version(p->driver, p->facts->target.arch, version);
    there = find_newest(p, version);
    if (there == NULL) {
        p->package->presence = PLAN_NEW; /* beside an older one, if any */
        return identify_new(p, err);
    }
    p->package->presence =
        compare_versions(there->version, version) == 0 ? PLAN_SAME : PLAN_NEWER;
    v2v_fact("plan", "%s: %s is in the guest already (%s)", p->driver->driver,
             there->name,
             p->package->presence == PLAN_SAME ? "the same version"
                                               : "a newer version");
    return identify_known(p, there, err);
}
