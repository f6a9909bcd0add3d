/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What state Windows is in: its version, its hives, setup and servicing under
 * way, the drivers between the controller and the system volume. */
#include <string.h>

#include "check/internal.h"

/* Windows 11 25H2: the last build that was released when this was written
 * (Microsoft, "Windows 11 release information"). */
static const unsigned last_known_build = 26200;

static int
check_version(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;
    const struct inf_target *target = &facts->target;

    if (target->arch == INF_ARCH_ARM64 &&
        check_found(check, "arm64", err,
                    "%s is for ARM64 (PROCESSOR_ARCHITECTURE in SYSTEM\\%s\\"
                    "Control\\Session Manager\\Environment)",
                    facts->product_name, check->control_set) < 0)
        return -1;
    if (target->major > 10 ||
        (target->major == 10 && target->build > last_known_build))
        return check_found(check, "windows-newer", err,
                           "%s is %u.%u build %u; the last that is known here "
                           "is build %u",
                           facts->product_name, target->major, target->minor,
                           target->build, last_known_build);
    return 0;
}

/* A dirty hive is usual from Windows 8.1 on: what is newest is in the logs up
 * to an hour. */
static int
check_hives(struct check *check, struct v2v_error *err)
{
    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++) {
        const struct facts_hive *hive = &check->in->hives->items[id];

        if (hive->hive == NULL || hive->replay == REG_REPLAY_CLEAN)
            continue;
        if (hive->replay == REG_REPLAY_DONE
                ? check_found(check, "hive-replayed", err,
                              "%s: its last changes are in %s and are taken "
                              "from there",
                              hive->path,
                              hive->logs[0].len > 0 ? hive->logs[0].path
                                                    : hive->logs[1].path) < 0
                : check_found(check, "hive-dirty", err,
                              "%s was not written to its end, and no "
                              "transaction log beside it applies",
                              hive->path) < 0)
            return -1;
    }
    return 0;
}

/* ---- setup */

/* In every installed Windows that was read (XP to 10) these values of
 * SYSTEM\Setup are 0 or absent; CmdLine may hold what the last Setup ran. */
static const char *const setup_values[] = { "SystemSetupInProgress",
                                            "OOBEInProgress", "SetupType",
                                            "RestartSetup" };

static int
list_setup(struct check *check, struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *command = NULL;

    for (size_t i = 0; i < sizeof setup_values / sizeof *setup_values; i++) {
        uint32_t value = 0;

        if (check_get_dword(check->system, "Setup", setup_values[i], &value,
                            err) < 0 ||
            (value != 0 &&
             v2v_bytes_list(ret, err, "%s is %u", setup_values[i], value) < 0))
            return -1;
    }
    if (ret->len == 0)
        return 0;
    if (check_get_string(check->system, "Setup", "CmdLine", &command, err) <
            0 ||
        (command != NULL && *command != '\0' &&
         v2v_bytes_printf(ret, err, ", CmdLine is \"%s\"", command) < 0))
        return -1;
    return v2v_bytes_add(ret, "", 1, err);
}

/* ImageState of an installed Windows, Vista and later (Microsoft, "Windows
 * Setup States"); a sysprepped image has IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE
 * or ..._AUDIT. */
static const char image_state_key[] =
    "Microsoft\\Windows\\CurrentVersion\\Setup\\State";

static int
check_setup(struct check *check, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes values = { 0 };
    V2V_AUTO(mem) char *state = NULL;

    if (list_setup(check, &values, err) < 0 ||
        check_get_string(check->software, image_state_key, "ImageState", &state,
                         err) < 0)
        return -1;
    if (state != NULL && v2v_has_prefix_nocase(state, "IMAGE_STATE_GENERALIZE"))
        return check_found(check, "sysprep", err,
                           "SOFTWARE\\%s: ImageState is %s", image_state_key,
                           state);
    if (values.len > 0)
        return check_found(check, "setup-in-progress", err, "SYSTEM\\Setup: %s",
                           (const char *)values.data);
    if (state != NULL && !v2v_equal_nocase(state, "IMAGE_STATE_COMPLETE"))
        return check_found(check, "setup-in-progress", err,
                           "SOFTWARE\\%s: ImageState is %s", image_state_key,
                           state);
    return 0;
}

/* ---- servicing */

/* Left while an update waits for the next boot: what a pending restart is told
 * by.  The keys are volatile in some versions, and then only the file tells. */
static int
check_servicing(struct check *check, struct v2v_error *err)
{
    static const char servicing[] =
        "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing";
    static const char *const keys[] = { "RebootPending", "RebootInProgress",
                                        "PackagesPending" };
    V2V_AUTO(mem) char *xml =
        v2v_format(err, "%s/WinSxS/pending.xml", check->in->facts->system_root);
    int has = check_has_file(check, xml, err);

    if (has != 0)
        return has < 0 ? -1
                       : check_found(check, "servicing-pending", err,
                                     "%s is there: the next boot goes on with "
                                     "an update",
                                     xml);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        V2V_AUTO(mem) char *key = v2v_format(err, "%s\\%s", servicing, keys[i]);

        has = check_has_key(check->software, key, err);
        if (has != 0)
            return has < 0 ? -1
                           : check_found(check, "servicing-pending", err,
                                         "SOFTWARE\\%s is there: an update "
                                         "waits for the next boot",
                                         key);
    }
    return 0;
}

/* ---- the chain */

enum need { NEED_ALWAYS, NEED_FROM_VISTA, NEED_NOT };

/* Services that every path from a PCI controller to the system volume goes
 * through.  Start is 0 in each hive of Windows XP to 10 that was read.  Those
 * not needed are there for a disk of another kind (volmgrx: dynamic,
 * spaceport: pooled) or devices that no guest has to have; an override of them
 * is as abnormal. */
static const struct link {
    const char *service;
    enum need need;
} chain[] = {
    { "ACPI", NEED_NOT }, /* a HAL of XP's without it */
    { "pci", NEED_ALWAYS },        { "msisadrv", NEED_NOT },
    { "vdrvroot", NEED_NOT },      { "partmgr", NEED_ALWAYS },
    { "volmgr", NEED_FROM_VISTA }, { "volmgrx", NEED_NOT },
    { "volsnap", NEED_NOT }, /* a filter of volumes: by its class */
    { "mountmgr", NEED_ALWAYS },   { "disk", NEED_ALWAYS },
    { "EhStorClass", NEED_NOT },   { "spaceport", NEED_NOT },
};

static bool
is_needed(const struct check *check, enum need need)
{
    return need == NEED_ALWAYS ||
           (need == NEED_FROM_VISTA && check->in->facts->target.major >= 6);
}

/* Windows gives a boot driver that found no device this key, and no longer
 * loads it at boot: Start of its value, 3, holds in place of the service's. */
static int
check_override(struct check *check, const struct link *link,
               struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Services\\%s\\StartOverride",
                                         check->control_set, link->service);
    int has = check_has_key(check->system, key, err);

    if (has <= 0)
        return has;
    return check_found(check, "start-override", err,
                       "SYSTEM\\%s is there: Windows would not load %s at boot",
                       key, link->service);
}

static int
check_driver_file(struct check *check, const char *path, struct v2v_error *err)
{
    int has = check_has_file(check, path, err);

    if (has != 0)
        return has < 0 ? -1 : 0;
    return check_found(check, "boot-file-missing", err,
                       "%s is not there: the driver of a boot service", path);
}

/* Where the loader finds the driver, new; "": in a place that is not looked at.
 * Without ImagePath it is drivers\NAME.sys (Wof has none). */
static char *
driver_path(struct check *check, const char *key, const char *service,
            struct v2v_error *err)
{
    static const char *const prefixes[] = { "\\SystemRoot\\", "System32\\" };
    const char *root = check->in->facts->system_root;
    V2V_AUTO(mem) char *image = NULL;
    int has = check_get_string(check->system, key, "ImagePath", &image, err);
    const char *path = image;

    if (has < 0)
        return NULL;
    if (has == 0)
        return v2v_format(err, "%s/System32/drivers/%s.sys", root, service);
    if (v2v_has_prefix_nocase(path, prefixes[0]))
        path += strlen(prefixes[0]);
    if (!v2v_has_prefix_nocase(path, prefixes[1]) || strstr(path, "..") != NULL)
        return v2v_strdup("", err);
    v2v_replace_char(image, '\\', '/');
    return v2v_format(err, "%s/%s", root, path);
}

static int
check_needed(struct check *check, const struct link *link,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Services\\%s", check->control_set, link->service);
    V2V_AUTO(mem) char *path = NULL;
    uint32_t start = 0;
    int has = check_get_dword(check->system, key, "Start", &start, err);

    if (has < 0)
        return -1;
    if (has == 0)
        return check_found(check, "boot-service-disabled", err,
                           "SYSTEM\\%s has no Start: there is no service %s",
                           key, link->service);
    if (start != 0)
        return check_found(check, "boot-service-disabled", err,
                           "SYSTEM\\%s: Start is %u, not 0", key, start);
    path = driver_path(check, key, link->service, err);
    if (path == NULL)
        return -1;
    return *path == '\0' ? 0 : check_driver_file(check, path, err);
}

static int
check_chain(struct check *check, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++)
        if (check_override(check, &chain[i], err) < 0 ||
            (is_needed(check, chain[i].need) &&
             check_needed(check, &chain[i], err) < 0))
            return -1;
    return 0;
}

/* ---- other disks */

/* VDS_SAN_POLICY of vds.h (Microsoft, "VDS_SAN_POLICY enumeration"): what
 * becomes of a disk that Windows has not seen before, as each is behind another
 * controller.  2 is usual on servers, and keeps those on a shared bus offline,
 * which for Windows SCSI and so virtio is. */
static const char *const san_policies[] = {
    [2] = "disks on a shared bus stay offline",
    [3] = "new disks stay offline",
    [4] = "new internal disks stay offline",
};

static size_t
count_other_disks(const struct check *check)
{
    size_t images = check->in->facts->disk_count;
    size_t xml =
        check->in->domain != NULL ? domain_disk_count(check->in->domain) : 0;
    size_t count = xml > images ? xml : images;

    return count > 1 ? count - 1 : 0;
}

/* What the machine is like is not in its disks. */
static int
check_machine(struct check *check, struct v2v_error *err)
{
    return check->in->domain != NULL
               ? 0
               : check_not_looked(check,
                                  "whether the machine has Secure Boot, or "
                                  "other disks than those given",
                                  "no domain XML was given", err);
}

static int
check_san_policy(struct check *check, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(
        err, "%s\\Services\\partmgr\\Parameters", check->control_set);
    size_t others = count_other_disks(check);
    uint32_t policy = 0;

    if (check_get_dword(check->system, key, "SanPolicy", &policy, err) < 0)
        return -1;
    if (policy < 2 || policy > 4 || (policy == 2 && others == 0))
        return 0;
    return check_found(
        check, others > 0 ? "data-disks-offline" : "san-policy", err,
        "SYSTEM\\%s: SanPolicy is %u (%s); the machine has %zu "
        "other disk%s",
        key, policy, san_policies[policy], others, others == 1 ? "" : "s");
}

const check_rule check_windows_rules[] = {
    check_version,   check_hives,      check_setup,
    check_servicing, check_renames,    check_chain,
    check_machine,   check_san_policy, NULL,
};
