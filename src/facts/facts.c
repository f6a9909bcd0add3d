/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/facts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "facts/legacy.h"

#define CURRENT_VERSION "Microsoft\\Windows NT\\CurrentVersion"

static void
free_volumes(struct facts *facts)
{
    for (size_t i = 0; i < facts->disk_count; i++)
        free(facts->disks[i].unreadable);
    for (size_t i = 0; i < facts->volume_count; i++) {
        free(facts->volumes[i].unreadable);
        free(facts->volumes[i].system_root);
    }
    free(facts->disks);
    free(facts->volumes);
}

void
facts_done(struct facts *facts)
{
    free_volumes(facts);
    for (size_t i = 0; i < facts->control_set_count; i++)
        free(facts->control_sets[i].name);
    for (size_t i = 0; i < facts->package_count; i++) {
        free(facts->packages[i].oem_inf);
        free(facts->packages[i].name);
        free(facts->packages[i].inf_name);
    }
    free(facts->control_sets);
    free(facts->packages);
    free(facts->system_root);
    free(facts->system_path);
    free(facts->product_name);
    free(facts->edition);
    v2v_strings_done(&facts->system_classes);
    v2v_strings_done(&facts->oem_infs);
    v2v_bytes_done(&facts->oem_inf_map);
    for (size_t i = 0; i < facts->root_count; i++)
        v2v_bytes_done(&facts->roots[i]);
    free(facts->roots);
    free(facts->device_path);
    *facts = (struct facts){ 0 };
}

int
facts_oem_number(const char *name)
{
    char *end;
    long n;

    if (!v2v_has_prefix_nocase(name, "oem") || !isdigit((unsigned char)name[3]))
        return -1;
    n = strtol(name + 3, &end, 10);
    return n < FACTS_OEM_MAX && v2v_equal_nocase(end, ".inf") ? (int)n : -1;
}

const char *
facts_product_type_name(const struct facts *facts)
{
    static const char *const names[] = { "unknown", "client",
                                         "domain controller", "server" };

    return names[facts->target.product_type <= 3 ? facts->target.product_type
                                                 : 0];
}

/* What every Windows has: its absence is a damaged or a foreign hive. */
static int
must_have(int result, enum reg_hive_id id, struct v2v_error *err)
{
    if (result == 0)
        return 0;
    if (err->code == V2V_ERR_NOT_FOUND)
        err->code = V2V_ERR_FORMAT;
    return v2v_fail_in(err, "%s", reg_hive_name(id));
}

/* What Windows may lack. */
static int
may_have(int result, enum reg_hive_id id, struct v2v_error *err)
{
    if (result == 0 || err->code == V2V_ERR_NOT_FOUND)
        return 0;
    return v2v_fail_in(err, "%s", reg_hive_name(id));
}

/* CurrentMajorVersionNumber came with Windows 10, which still says "6.3" in
 * CurrentVersion. */
static int
read_version(struct reg_hive *software, struct inf_target *target,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *version = NULL;
    V2V_AUTO(mem) char *build = NULL;
    uint32_t major = 0, minor = 0;

    if (must_have(reg_get_string(software, CURRENT_VERSION, "CurrentVersion",
                                 &version, err),
                  REG_SOFTWARE, err) < 0 ||
        must_have(reg_get_string(software, CURRENT_VERSION,
                                 "CurrentBuildNumber", &build, err),
                  REG_SOFTWARE, err) < 0 ||
        may_have(reg_get_dword(software, CURRENT_VERSION,
                               "CurrentMajorVersionNumber", &major, err),
                 REG_SOFTWARE, err) < 0 ||
        may_have(reg_get_dword(software, CURRENT_VERSION,
                               "CurrentMinorVersionNumber", &minor, err),
                 REG_SOFTWARE, err) < 0)
        return -1;
    target->major = major;
    target->minor = minor;
    if ((major == 0 &&
         sscanf(version, "%u.%u", &target->major, &target->minor) != 2) ||
        sscanf(build, "%u", &target->build) != 1)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "SOFTWARE: %s: CurrentVersion \"%s\", build \"%s\" are "
                        "no numbers",
                        CURRENT_VERSION, version, build);
    return 0;
}

/* Windows 11 still calls itself "Windows 10" in ProductName (read in a
 * Windows 11 22H2 hive); its builds begin with 22000. */
static int
read_names(struct reg_hive *software, struct facts *facts,
           struct v2v_error *err)
{
    static const char ten[] = "Windows 10";
    static const unsigned first_windows_11_build = 22000;

    if (must_have(reg_get_string(software, CURRENT_VERSION, "SystemRoot",
                                 &facts->system_path, err),
                  REG_SOFTWARE, err) < 0 ||
        may_have(reg_get_string(software, CURRENT_VERSION, "ProductName",
                                &facts->product_name, err),
                 REG_SOFTWARE, err) < 0 ||
        may_have(reg_get_string(software, CURRENT_VERSION, "EditionID",
                                &facts->edition, err),
                 REG_SOFTWARE, err) < 0)
        return -1;
    if (facts->product_name == NULL &&
        (facts->product_name = v2v_strdup("Windows", err)) == NULL)
        return -1;
    if (facts->edition == NULL &&
        (facts->edition = v2v_strdup("", err)) == NULL)
        return -1;
    if (facts->target.build >= first_windows_11_build &&
        strncmp(facts->product_name, ten, strlen(ten)) == 0)
        facts->product_name[strlen(ten) - 1] = '1';
    return 0;
}

static int
add_control_set(struct facts *facts, const char *name, uint32_t current,
                struct v2v_error *err)
{
    struct facts_control_set *sets = reallocarray(
        facts->control_sets, facts->control_set_count + 1, sizeof *sets);
    struct facts_control_set *set;
    unsigned number = 0;

    if (sets == NULL)
        return v2v_fail_errno(err, errno, "control sets");
    facts->control_sets = sets;
    sscanf(name + strlen("ControlSet"), "%3u", &number);
    set = &sets[facts->control_set_count];
    *set = (struct facts_control_set){ .name = v2v_strdup(name, err),
                                       .current = number == current };
    if (set->name == NULL)
        return -1;
    facts->control_set_count++;
    return 0;
}

static bool
is_control_set(const char *name)
{
    const char *n = name + strlen("ControlSet");

    return v2v_has_prefix_nocase(name, "ControlSet") && strlen(n) == 3 &&
           isdigit((unsigned char)n[0]) && isdigit((unsigned char)n[1]) &&
           isdigit((unsigned char)n[2]);
}

static const struct facts_control_set *
current_control_set(const struct facts *facts)
{
    for (size_t i = 0; i < facts->control_set_count; i++)
        if (facts->control_sets[i].current)
            return &facts->control_sets[i];
    return NULL;
}

static int
read_control_sets(struct reg_hive *system, struct facts *facts,
                  struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings keys = { 0 };
    uint32_t current;

    if (must_have(reg_get_dword(system, "Select", "Current", &current, err),
                  REG_SYSTEM, err) < 0)
        return -1;
    if (must_have(reg_children(system, "", &keys, err), REG_SYSTEM, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++)
        if (is_control_set(keys.items[i]) &&
            add_control_set(facts, keys.items[i], current, err) < 0)
            return -1;
    if (current_control_set(facts) == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "SYSTEM: Select\\Current is %u and there is no such "
                        "control set",
                        current);
    return 0;
}

/* Microsoft, "OSVERSIONINFOEX": VER_SUITE_*; the strings are those of
 * Control\ProductOptions\ProductSuite. */
static const struct {
    const char *name;
    unsigned mask;
} suites[] = {
    { "Small Business", 0x1 },    { "Enterprise", 0x2 },
    { "BackOffice", 0x4 },        { "CommunicationServer", 0x8 },
    { "Terminal Server", 0x10 },  { "Small Business(Restricted)", 0x20 },
    { "EmbeddedNT", 0x40 },       { "DataCenter", 0x80 },
    { "Personal", 0x200 },        { "Blade", 0x400 },
    { "Storage Server", 0x2000 }, { "Compute Server", 0x4000 },
};

static int
read_product(struct reg_hive *system, struct facts *facts,
             struct v2v_error *err)
{
    static const char *const types[] = { "", "WinNT", "LanmanNT", "ServerNT" };
    V2V_AUTO(strings) struct v2v_strings list = { 0 };
    V2V_AUTO(mem) char *type = NULL;
    V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Control\\ProductOptions",
                                         current_control_set(facts)->name);

    if (key == NULL ||
        must_have(reg_get_string(system, key, "ProductType", &type, err),
                  REG_SYSTEM, err) < 0 ||
        may_have(reg_get_strings(system, key, "ProductSuite", &list, err),
                 REG_SYSTEM, err) < 0)
        return -1;
    for (unsigned i = 1; i <= 3; i++)
        if (v2v_equal_nocase(type, types[i]))
            facts->target.product_type = i;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (v2v_strings_has_nocase(&list, suites[i].name))
            facts->target.suite_mask |= suites[i].mask;
    if (facts->target.product_type == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "SYSTEM: %s: ProductType \"%s\" is unknown", key, type);
    return 0;
}

static int
read_architecture(struct reg_hive *system, struct facts *facts,
                  struct v2v_error *err)
{
    static const enum inf_arch known[] = { INF_ARCH_X86, INF_ARCH_AMD64,
                                           INF_ARCH_ARM64 };
    V2V_AUTO(mem) char *name = NULL;
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Control\\Session Manager\\Environment",
                   current_control_set(facts)->name);

    if (key == NULL ||
        must_have(
            reg_get_string(system, key, "PROCESSOR_ARCHITECTURE", &name, err),
            REG_SYSTEM, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!v2v_equal_nocase(name, inf_arch_name(known[i])))
            continue;
        facts->target.arch = known[i];
        return 0;
    }
    return v2v_refuse(err, V2V_ERR_GUEST, "unsupported-architecture",
                      "Windows for \"%s\" is not supported", name);
}

/* Set where memory integrity (HVCI) is on: read in Windows 10 1709 and later
 * hives as Enabled=0 or absent. */
static int
read_code_integrity(struct reg_hive *system, struct facts *facts,
                    struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err,
                                         "%s\\Control\\DeviceGuard\\Scenarios\\"
                                         "HypervisorEnforcedCodeIntegrity",
                                         current_control_set(facts)->name);
    uint32_t enabled = 0;

    if (key == NULL ||
        may_have(reg_get_dword(system, key, "Enabled", &enabled, err),
                 REG_SYSTEM, err) < 0)
        return -1;
    facts->hvci = enabled != 0;
    return 0;
}

static int
read_class_list(struct reg_hive *system, struct facts *facts,
                struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings keys = { 0 };

    if (must_have(reg_children(system, "DriverDatabase\\DeviceIds", &keys, err),
                  REG_SYSTEM, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++)
        if (keys.items[i][0] == '{' &&
            v2v_strings_add(&facts->system_classes, keys.items[i], err) < 0)
            return -1;
    return 0;
}

static int
add_package(struct facts *facts, const struct facts_package *package,
            struct v2v_error *err)
{
    struct facts_package *items =
        reallocarray(facts->packages, facts->package_count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "driver packages");
    facts->packages = items;
    items[facts->package_count++] = *package;
    return 0;
}

static int
read_package(struct reg_hive *hive, enum reg_hive_id id, const char *oem_inf,
             const char *name, struct facts *facts, struct v2v_error *err)
{
    struct facts_package package = { .hive = id };
    V2V_AUTO(bytes) struct v2v_bytes version = { 0 };
    V2V_AUTO(mem) char *inf_name = NULL;
    V2V_AUTO(mem) char *key =
        v2v_format(err, "DriverDatabase\\DriverPackages\\%s", name);
    uint32_t type;

    if (key == NULL ||
        may_have(reg_get_string(hive, key, "InfName", &inf_name, err), id,
                 err) < 0 ||
        may_have(reg_get(hive, key, "Version", &type, &version, err), id, err) <
            0)
        return -1;
    if (version.len == sizeof package.version) {
        memcpy(package.version, version.data, version.len);
        package.has_version = true;
    }
    package.oem_inf = v2v_strdup(oem_inf, err);
    package.name = v2v_strdup(name, err);
    package.inf_name = v2v_strdup(inf_name != NULL ? inf_name : "", err);
    if (package.oem_inf == NULL || package.name == NULL ||
        package.inf_name == NULL || add_package(facts, &package, err) < 0) {
        free(package.oem_inf);
        free(package.name);
        free(package.inf_name);
        return -1;
    }
    return 0;
}

static int
read_oem_inf(struct reg_hive *hive, enum reg_hive_id id, const char *oem_inf,
             struct facts *facts, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(mem) char *key =
        v2v_format(err, "DriverDatabase\\DriverInfFiles\\%s", oem_inf);

    if (key == NULL ||
        may_have(reg_get_strings(hive, key, "", &names, err), id, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (read_package(hive, id, oem_inf, names.items[i], facts, err) < 0)
            return -1;
    return v2v_strings_add(&facts->oem_infs, oem_inf, err);
}

/* One node of the driver database: SYSTEM or DRIVERS. */
static int
read_node(struct reg_hive *hive, enum reg_hive_id id, struct facts *facts,
          struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings values = { 0 };
    V2V_AUTO(strings) struct v2v_strings keys = { 0 };

    if (must_have(reg_value_names(hive, "DriverDatabase", &values, err), id,
                  err) < 0 ||
        may_have(
            reg_children(hive, "DriverDatabase\\DriverInfFiles", &keys, err),
            id, err) < 0)
        return -1;
    facts->has_update_date[id] = v2v_strings_has_nocase(&values, "UpdateDate");
    for (size_t i = 0; i < keys.count; i++)
        if (facts_oem_number(keys.items[i]) >= 0 &&
            read_oem_inf(hive, id, keys.items[i], facts, err) < 0)
            return -1;
    return 0;
}

static int
read_driver_database(const struct facts_hives *hives, struct facts *facts,
                     struct v2v_error *err)
{
    struct reg_hive *system = hives->items[REG_SYSTEM].hive;
    struct reg_hive *drivers = hives->items[REG_DRIVERS].hive;
    uint32_t type;

    if (read_class_list(system, facts, err) < 0 ||
        may_have(reg_get(system, "DriverDatabase", "OemInfMap", &type,
                         &facts->oem_inf_map, err),
                 REG_SYSTEM, err) < 0 ||
        read_node(system, REG_SYSTEM, facts, err) < 0)
        return -1;
    facts->has_drivers_hive = drivers != NULL;
    return drivers == NULL ? 0 : read_node(drivers, REG_DRIVERS, facts, err);
}

static bool
is_older_than(const struct inf_target *target, unsigned major, unsigned minor)
{
    return target->major < major ||
           (target->major == major && target->minor < minor);
}

static int
read_all(const struct facts_hives *hives, struct facts *facts,
         struct v2v_error *err)
{
    struct reg_hive *system = hives->items[REG_SYSTEM].hive;
    struct reg_hive *software = hives->items[REG_SOFTWARE].hive;
    const struct inf_target *target = &facts->target;

    if (read_version(software, &facts->target, err) < 0 ||
        read_names(software, facts, err) < 0 ||
        read_control_sets(system, facts, err) < 0 ||
        read_product(system, facts, err) < 0 ||
        read_architecture(system, facts, err) < 0 ||
        read_code_integrity(system, facts, err) < 0)
        return -1;
    v2v_fact("facts", "%s %u.%u.%u, %s, %s", facts->product_name, target->major,
             target->minor, target->build, facts_product_type_name(facts),
             inf_arch_name(target->arch));
    if (is_older_than(target, 5, 1))
        return v2v_refuse(
            err, V2V_ERR_GUEST, "unsupported-version",
            "%s (NT %u.%u) is older than Windows XP, which is the "
            "oldest that is supported",
            facts->product_name, target->major, target->minor);
    /* the driver database came with Windows 8 = NT 6.2 */
    facts->has_driver_database = !is_older_than(target, 6, 2);
    if (!facts->has_driver_database)
        return facts_read_legacy(software, facts, err);
    return read_driver_database(hives, facts, err);
}

int
facts_read(const struct facts_hives *hives, struct facts *facts,
           struct v2v_error *err)
{
    if (read_all(hives, facts, err) == 0)
        return facts_hives_answered(hives, err);
    if (err != NULL && err->code == V2V_ERR_FORMAT)
        v2v_error_name(err, "hive-corrupt");
    return -1;
}
