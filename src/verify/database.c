/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/database.h"

#include <stdio.h>
#include <string.h>

/* More INFs for one device are not looked at; Windows 10 has at most three. */
enum { MATCHES_MAX = 256 };

/* An extension INF is no driver by itself.
 * Source: Microsoft, "Using an extension INF file". */
static const char extension_class[] = "{e2f84ce7-8efa-411c-aa69-97454ca4cb57}";

/* DriverPackages\PACKAGE\Version: 48 bytes; read in hives of Windows 8.1 to 10
 * 2004.  At 2 the architecture (PROCESSOR_ARCHITECTURE_...), at 8 the class,
 * at 0x18 date and at 0x20 version of DriverVer. */
enum {
    VERSION_AT_ARCH = 2,
    VERSION_AT_CLASS = 8,
    VERSION_AT_DATE = 0x18,
    VERSION_AT_VERSION = 0x20
};

/* 1: @ret is the value, not empty; 0; -1 */
int
database_text(struct reg_hive *hive, const char *key, const char *name,
              char **ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = NULL;
    struct v2v_error why;
    int found =
        reg_answer(reg_get_string(hive, key, name, &text, &why), &why, err);

    if (found <= 0 || *text == '\0')
        return found < 0 ? -1 : 0;
    free(*ret);
    *ret = v2v_steal(text);
    return 1;
}

/* 1: the list has @wanted; 0; -1 */
int
database_lists(struct reg_hive *hive, const char *key, const char *name,
               const char *wanted, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings list = { 0 };
    struct v2v_error why;
    int found =
        reg_answer(reg_get_strings(hive, key, name, &list, &why), &why, err);

    return found <= 0 ? found : v2v_strings_has_nocase(&list, wanted);
}

int
database_has_key(struct reg_hive *hive, const char *key, struct v2v_error *err)
{
    struct v2v_error why;
    int found = reg_has_key(hive, key, &why);

    return found >= 0 ? found : reg_answer(found, &why, err);
}

/* From the binary layout of a GUID. */
static void
print_guid(const uint8_t *g, char ret[GUID_TEXT_LEN])
{
    (void)snprintf(ret, GUID_TEXT_LEN,
                   "{%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                   "%02x%02x%02x%02x%02x%02x}",
                   g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9],
                   g[10], g[11], g[12], g[13], g[14], g[15]);
}

int
database_version(struct reg_hive *hive, const char *package_key,
                 struct package_version *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct v2v_error why;
    uint32_t type;
    int found = reg_answer(
        reg_get(hive, package_key, "Version", &type, &data, &why), &why, err);

    if (found <= 0 || type != REG_BINARY || data.len < FACTS_VERSION_LEN)
        return found < 0 ? -1 : 0;
    ret->arch = (uint16_t)v2v_get_le(data.data + VERSION_AT_ARCH, 2);
    ret->date = v2v_get_le(data.data + VERSION_AT_DATE, 8);
    ret->version = v2v_get_le(data.data + VERSION_AT_VERSION, 8);
    print_guid(data.data + VERSION_AT_CLASS, ret->class);
    return 1;
}

/* ---- the INFs of a device */

static void
match_done(struct match *m)
{
    free(m->inf);
    free(m->package);
}

void
matches_done(struct matches *matches)
{
    for (size_t i = 0; i < matches->count; i++)
        match_done(&matches->items[i]);
    free(matches->items);
    *matches = (struct matches){ 0 };
}

static int
read_package(struct match *m, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "DriverDatabase\\DriverPackages\\%s", m->package);
    V2V_AUTO(mem) char *configurations = NULL;
    struct package_version version;
    uint32_t score = 0;
    struct v2v_error why;
    int found;

    if (key == NULL)
        return -1;
    configurations = v2v_format(err, "%s\\Configurations", key);
    if (configurations == NULL)
        return -1;
    found = database_has_key(m->hive, configurations, err);
    if (found < 0)
        return -1;
    m->configured = found;
    if (reg_answer(reg_get_dword(m->hive, key, "SignerScore", &score, &why),
                   &why, err) < 0)
        return -1;
    /* Windows 7 and later rank all signatures alike by default, before what is
     * unsigned (Microsoft, "AllSignersEqual Group Policy"); setupapi.h:
     * SIGNERSCORE_UNSIGNED. */
    if (score >= UINT32_C(0x80000000))
        m->rank |= UINT32_C(0x80000000);
    found = database_version(m->hive, key, &version, err);
    if (found <= 0)
        return found;
    m->date = version.date;
    m->version = version.version;
    m->extension = v2v_equal_nocase(version.class, extension_class);
    return 0;
}

static int
find_package(struct match *m, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *inf_key =
        v2v_format(err, "DriverDatabase\\DriverInfFiles\\%s", m->inf);
    V2V_AUTO(mem) char *package_key = NULL;
    V2V_AUTO(mem) char *package = NULL;
    int found;

    m->package = v2v_strdup("", err);
    if (inf_key == NULL || m->package == NULL)
        return -1;
    found = database_text(m->hive, inf_key, "Active", &package, err);
    if (found <= 0)
        return found;
    package_key =
        v2v_format(err, "DriverDatabase\\DriverPackages\\%s", package);
    if (package_key == NULL)
        return -1;
    if (strchr(package, '\\') != NULL)
        return 0;
    found = database_has_key(m->hive, package_key, err);
    if (found <= 0)
        return found;
    free(m->package);
    m->package = v2v_steal(package);
    return read_package(m, err);
}

/* The identifier score from the place of the id among the device's and that in
 * the INF: the four bytes of a DeviceIds value are 1 (hardware id) or 2
 * (compatible id) or both, the feature score, and the index among the INF's
 * compatible ids. */
static uint32_t
rank_id(const struct device *device, size_t id, const struct v2v_bytes *value)
{
    bool has_all = value->len >= 4;
    uint32_t feature = has_all ? value->data[1] : 0xff;
    uint32_t index = has_all ? (uint32_t)v2v_get_le(value->data + 2, 2) : 0;
    bool compatible = has_all && (value->data[0] & 1) == 0;
    bool device_compatible = id >= device->hardware_count;
    uint32_t place =
        (uint32_t)(device_compatible ? id - device->hardware_count : id);

    if (compatible && device_compatible)
        place += 0x100 * (index < 0xf ? index : 0xf);
    return feature << 16 | (uint32_t)(device_compatible ? 2 : 0) << 12 |
           (uint32_t)compatible << 12 | (place & 0xfff);
}

static int
add_match(struct matches *matches, struct match match, const char *inf,
          struct v2v_error *err)
{
    struct match *items =
        reallocarray(matches->items, matches->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    matches->items = items;
    match.inf = v2v_strdup(inf, err);
    if (match.inf == NULL)
        return -1;
    items[matches->count] = match;
    if (find_package(&items[matches->count++], err) < 0)
        return -1;
    if (items[matches->count - 1].extension)
        match_done(&items[--matches->count]);
    return 0;
}

static int
find_by_id(struct reg_hive *hive, const char *node, const struct device *device,
           size_t id, struct matches *ret, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "DriverDatabase\\DeviceIds\\%s", device->ids.items[id]);
    V2V_AUTO(strings) struct v2v_strings infs = { 0 };
    struct v2v_error why;
    int found;

    if (key == NULL)
        return -1;
    found = reg_answer(reg_value_names(hive, key, &infs, &why), &why, err);
    for (size_t i = 0; found > 0 && i < infs.count; i++) {
        V2V_AUTO(bytes) struct v2v_bytes value = { 0 };
        struct match match = { .hive = hive,
                               .node = node,
                               .id = device->ids.items[id] };
        uint32_t type;

        if (!v2v_has_suffix_nocase(infs.items[i], ".inf") ||
            strchr(infs.items[i], '\\') != NULL || ret->count == MATCHES_MAX)
            continue;
        if (reg_answer(reg_get(hive, key, infs.items[i], &type, &value, &why),
                       &why, err) < 0)
            return -1;
        match.rank = rank_id(device, id, &value);
        if (add_match(ret, match, infs.items[i], err) < 0)
            return -1;
    }
    return found < 0 ? -1 : 0;
}

int
matches_find(struct reg_hive *hive, const char *node,
             const struct device *device, struct matches *ret,
             struct v2v_error *err)
{
    for (size_t i = 0; hive != NULL && i < device->ids.count; i++)
        if (find_by_id(hive, node, device, i, ret, err) < 0)
            return -1;
    return 0;
}

/* 0: of no use as it is; 1: not before an installation; 2: ready */
static int
readiness(const struct match *m)
{
    if (*m->package == '\0')
        return 0;
    return m->configured ? 2 : 1;
}

static int
compare_ranks(const struct match *x, const struct match *y)
{
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->date != y->date)
        return x->date > y->date ? -1 : 1;
    return x->version > y->version ? -1 : x->version < y->version;
}

static int
compare_early(const void *a, const void *b)
{
    int x = readiness(a), y = readiness(b);

    return x != y ? y - x : compare_ranks(a, b);
}

static int
compare_late(const void *a, const void *b)
{
    int x = readiness(a) > 0, y = readiness(b) > 0;

    return x != y ? y - x : compare_ranks(a, b);
}

void
matches_sort(struct matches *matches, bool early)
{
    if (matches->count > 0)
        qsort(matches->items, matches->count, sizeof *matches->items,
              early ? compare_early : compare_late);
}

int
database_is_inbox(struct reg_hive *hive, const char *inf, const char *package,
                  bool *ret, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key = v2v_format(err, "DriverDatabase\\DriverPackages\\%s", package);
    V2V_AUTO(mem) char *provider = NULL;
    int found;

    *ret = false;
    if (key == NULL)
        return -1;
    if (facts_oem_number(inf) >= 0)
        return 0;
    found = database_text(hive, key, "Provider", &provider, err);
    *ret = found > 0 && v2v_has_prefix_nocase(provider, "Microsoft");
    return found < 0 ? -1 : 0;
}
