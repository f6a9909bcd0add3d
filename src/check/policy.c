/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What could refuse the drivers: policies, services, signatures. */
#include <string.h>

#include "check/internal.h"

/* ---- device installation policies
 *
 * Source: Microsoft, "Policy CSP - DeviceInstallation" and
 * DeviceInstallation.admx: each list is a DWORD that switches it on and a key
 * of the same name.  User-mode device installation obeys them, the kernel's
 * configuration of a boot device does not. */

#define RESTRICTIONS "Policies\\Microsoft\\Windows\\DeviceInstall\\Restrictions"

/* What virtio devices, and the disks behind them, can be named by.  A policy
 * names a device by any of its hardware or compatible ids, or by its instance,
 * which begins with a hardware id: QEMU's vendor id, or the class codes of
 * storage and network controllers. */
static const char *const our_ids[] = { "PCI\\VEN_1AF4", "PCI\\CC_0100",
                                       "PCI\\CC_0200", NULL };

/* Setup classes of the drivers of virtio-win (their INFs), and of disks. */
static const char *const our_classes[] = {
    "{4d36e972-e325-11ce-bfc1-08002be10318}", /* Net */
    "{4d36e97b-e325-11ce-bfc1-08002be10318}", /* SCSIAdapter */
    "{4d36e97d-e325-11ce-bfc1-08002be10318}", /* System */
    "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}", /* HIDClass */
    "{4d36e967-e325-11ce-bfc1-08002be10318}", /* DiskDrive */
    NULL
};

struct policy_list {
    const char *name;
    const char *const *ours;
};

static const struct policy_list deny_lists[] = {
    { "DenyDeviceIDs", our_ids },
    { "DenyInstanceIDs", our_ids },
    { "DenyDeviceClasses", our_classes },
};
static const struct policy_list allow_lists[] = {
    { "AllowDeviceIDs", our_ids },
    { "AllowInstanceIDs", our_ids },
    { "AllowDeviceClasses", our_classes },
};

static bool
is_ours(const struct policy_list *list, const char *text)
{
    for (const char *const *ours = list->ours; *ours != NULL; ours++)
        if (v2v_has_prefix_nocase(text, *ours))
            return true;
    return false;
}

/* The first of the list's strings that is ours, new; NULL: none, or it is not
 * switched on. */
static int
find_ours(struct check *check, const struct policy_list *list, char **ret,
          struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(mem) char *key = v2v_format(err, RESTRICTIONS "\\%s", list->name);
    uint32_t on = 0;

    if (check_get_dword(check->software, RESTRICTIONS, list->name, &on, err) <
            0 ||
        check_value_names(check->software, key, &names, err) < 0)
        return -1;
    for (size_t i = 0; on != 0 && *ret == NULL && i < names.count; i++) {
        V2V_AUTO(mem) char *text = NULL;

        if (check_get_string(check->software, key, names.items[i], &text, err) <
            0)
            return -1;
        if (text != NULL && is_ours(list, text))
            *ret = v2v_steal(text);
    }
    return 0;
}

static int
check_denied(struct check *check, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof deny_lists / sizeof *deny_lists; i++) {
        V2V_AUTO(mem) char *found = NULL;

        if (find_ours(check, &deny_lists[i], &found, err) < 0 ||
            (found != NULL &&
             check_found(check, "device-install-policy", err,
                         "SOFTWARE\\" RESTRICTIONS "\\%s denies %s",
                         deny_lists[i].name, found) < 0))
            return -1;
    }
    return 0;
}

/* Everything is denied that no list allows. */
static int
check_unspecified(struct check *check, struct v2v_error *err)
{
    uint32_t deny = 0;

    if (check_get_dword(check->software, RESTRICTIONS, "DenyUnspecified", &deny,
                        err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof allow_lists / sizeof *allow_lists; i++) {
        V2V_AUTO(mem) char *found = NULL;

        if (deny == 0 || find_ours(check, &allow_lists[i], &found, err) < 0)
            return deny == 0 ? 0 : -1;
        if (found != NULL)
            return 0;
    }
    return check_found(check, "device-install-policy", err,
                       "SOFTWARE\\" RESTRICTIONS
                       ": DenyUnspecified is %u and no list there allows a "
                       "virtio device",
                       deny);
}

/* ---- services that install devices */

static int
check_services(struct check *check, struct v2v_error *err)
{
    /* DeviceInstall came with Windows 8; both start on demand */
    static const char *const services[] = { "PlugPlay", "DeviceInstall" };
    static const uint32_t disabled = 4;

    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Services\\%s",
                                             check->control_set, services[i]);
        uint32_t start = 0;

        if (check_get_dword(check->system, key, "Start", &start, err) < 0 ||
            (start == disabled &&
             check_found(check, "pnp-service-disabled", err,
                         "SYSTEM\\%s: Start is 4: Windows installs no devices",
                         key) < 0))
            return -1;
    }
    return 0;
}

/* ---- code integrity policies */

/* In CiPolicies\Active of every Windows 11, and in use only where Windows says
 * so elsewhere (Microsoft, "App Control for Business: inbox policies", and
 * listings of clean installations). */
static const char *const inbox_policies[] = {
    "{0283AC0F-FFF1-49AE-ADA1-8A933130CAD6}", /* Smart App Control */
    "{1283AC0F-FFF1-49AE-ADA1-8A933130CAD6}", /* the same, evaluation */
    "{0678656C-05EF-481F-BC5B-EBD8C991502D}",
    "{1678656C-05EF-481F-BC5B-EBD8C991502D}",
    "{2678656C-05EF-481F-BC5B-EBD8C991502D}",
    "{0939ED82-BFD5-4D32-B58E-D31D3C49715A}",
    "{1939ED82-BFD5-4D32-B58E-D31D3C49715A}",
    "{2939ED82-BFD5-4D32-B58E-D31D3C49715A}",
    "{5951A96A-E0B5-4D3D-8FB8-3E5B61030784}", /* S mode */
    "{5DAC656C-21AD-4A02-AB49-649917162E70}",
    "{784C4414-79F4-4C32-A6A5-F0FB42A51D0D}",
    "{82443E1E-8A39-4B4A-96A8-F40DDC00B9F3}", /* SE */
    "{A072029F-588B-4B5E-B7F9-05AAD67DF687}", /* virtualization-based */
    "{CDD5CB55-DB68-4D71-AA38-3DF2B6473A52}",
    "{D2BDA982-CCF6-4344-AC5B-0B44427B6816}", /* vulnerable drivers */
};

static bool
is_custom_policy(const char *name)
{
    if (!v2v_has_suffix_nocase(name, ".cip"))
        return false;
    for (size_t i = 0; i < sizeof inbox_policies / sizeof *inbox_policies; i++)
        if (v2v_has_prefix_nocase(name, inbox_policies[i]))
            return false;
    return true;
}

/* The names in a folder; none when it is absent or not to be looked into. */
static int
list_files(struct check *check, const char *dir, struct v2v_strings *ret,
           struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (dir == NULL)
        return -1;
    if (guest_list(check->in->guest, dir, ret, &why) == 0 ||
        why.code == V2V_ERR_NOT_FOUND || why.code == V2V_ERR_GUEST)
        return 0;
    *err = why;
    return -1;
}

static int
check_ci_policies(struct check *check, struct v2v_error *err)
{
    const char *root = check->in->facts->system_root;
    V2V_AUTO(mem)
    char *single =
        v2v_format(err, "%s/System32/CodeIntegrity/SiPolicy.p7b", root);
    V2V_AUTO(mem)
    char *dir =
        v2v_format(err, "%s/System32/CodeIntegrity/CiPolicies/Active", root);
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    int has = check_has_file(check, single, err);

    if (has < 0 || list_files(check, dir, &names, err) < 0)
        return -1;
    if (has > 0 &&
        check_found(check, "wdac-policy", err, "%s is there", single) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (is_custom_policy(names.items[i]))
            return check_found(check, "wdac-policy", err,
                               "%s/%s is none that comes with Windows", dir,
                               names.items[i]);
    return 0;
}

/* ---- signatures */

static bool
is_boot_driver(const char *name)
{
    const struct check_virtio_driver *d = check_virtio_drivers;

    for (; d->driver != NULL; d++)
        if (d->boot && v2v_equal_nocase(d->driver, name))
            return true;
    return false;
}

static const char *
missing_code(const char *driver, enum drivers_rule rule)
{
    if (!is_boot_driver(driver))
        return "driver-missing";
    return rule == DRIVERS_LOST_UNTRUSTED || rule == DRIVERS_LOST_DAMAGED
               ? "driver-untrusted"
               : "boot-driver-missing";
}

static int
check_missing(struct check *check, struct v2v_error *err)
{
    const struct drivers_choice *choice = check->in->choice;

    for (size_t i = 0; choice != NULL && i < choice->missing.count; i++) {
        const char *name = choice->missing.items[i];
        enum drivers_rule rule = choice->missing_rule[i];

        if (rule == DRIVERS_LOST_SUPERSEDED)
            continue; /* what replaces it was chosen */
        if (check_found(check, missing_code(name, rule), err,
                        "there is no driver %s for %s on the medium: %s", name,
                        check->in->facts->product_name,
                        choice->missing_why.items[i]) < 0)
            return -1;
    }
    return 0;
}

/* Microsoft, "Secure boot": from Windows 8 on. */
static bool
knows_secure_boot(const struct facts *facts)
{
    return facts->target.major > 6 ||
           (facts->target.major == 6 && facts->target.minor >= 2);
}

static int
check_signature(struct check *check, const struct driver_package *package,
                struct v2v_error *err)
{
    const struct check_input *in = check->in;
    bool unknown = in->domain == NULL ||
                   domain_secure_boot(in->domain) == DOMAIN_SECURE_BOOT_UNKNOWN;

    if (!package->judgement.loads)
        return check_found(check, "driver-untrusted", err, "%s/%s: %s",
                           package->source, package->inf_name,
                           package->verdict_why);
    if (unknown && knows_secure_boot(in->facts) &&
        package->judgement.verdict == CATALOG_VERDICT_NO_SECURE_BOOT)
        return check_found(check, "driver-secure-boot", err,
                           "%s/%s: %s; whether Secure Boot is on is not known",
                           package->source, package->inf_name,
                           package->verdict_why);
    return 0;
}

static int
check_signatures(struct check *check, struct v2v_error *err)
{
    const struct drivers_choice *choice = check->in->choice;

    if (choice == NULL)
        return check_not_looked(check,
                                "whether there are drivers for this Windows, "
                                "and it accepts their signatures",
                                "no driver medium was given", err);
    for (size_t i = 0; i < choice->count; i++)
        if (check_signature(check, &choice->items[i], err) < 0)
            return -1;
    return 0;
}

const check_rule check_policy_rules[] = {
    check_missing,          check_signatures,
    check_memory_integrity, check_ci_policies,
    check_unspecified,      check_denied,
    check_services,         NULL,
};
