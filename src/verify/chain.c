/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/internal.h"

/* Windows versions, as 100 * major + minor. */
enum { ANY = 0, VISTA = 600, NEVER = 9999 };

/* The services between the firmware's tables and the system volume, from the
 * buses to the volume; the controller's own driver and the filters are looked
 * at elsewhere.  @on_path: the system disk lies behind it; the others are
 * started at boot too, and only in a Windows that somebody changed they are
 * not.  @from: the first Windows that cannot be without it.
 *
 * Source: hives of Windows 7, 8.1, 10 1709, 1909 and 2004, all of which have
 * these with Start 0 and no StartOverride. */
static const struct {
    const char *name;
    bool on_path;
    unsigned from;
} chain[] = {
    { "ACPI", true, VISTA },
    { "pci", true, ANY },
    { "partmgr", true, ANY },
    { "disk", true, ANY },
    { "ftdisk", true, NEVER }, /* before Vista, in the place of volmgr */
    { "volmgr", true, VISTA },
    { "volume", true, NEVER }, /* came during Windows 10 */
    { "mountmgr", true, ANY },
    { "volsnap", true, VISTA },
    { "msisadrv", false, NEVER },
    { "vdrvroot", false, NEVER },
    { "volmgrx", false, NEVER },
    { "spaceport", false, NEVER },
};

static unsigned
version(const struct verify *v)
{
    const struct inf_target *target = &v->in->facts->target;

    return target->major * 100 + target->minor;
}

/* Type 1: a kernel driver, 2: a file system's. */
static bool
is_driver(const struct verify_driver *driver)
{
    return driver->type == 1 || driver->type == 2;
}

/* How a service that is on the path can be broken, but for its file. */
static const char *
chain_fault(const struct verify_driver *driver)
{
    if (!is_driver(driver))
        return "chain-service-missing";
    if (driver->start == VERIFY_DISABLED)
        return "chain-service-disabled";
    if (driver->override != NULL)
        return "chain-start-override";
    return driver->start == VERIFY_BOOT_START ? NULL : "chain-not-boot-start";
}

static int
report_fault(struct verify *v, const char *fault,
             const struct verify_driver *driver, struct v2v_error *err)
{
    if (!is_driver(driver))
        return verify_found(v, fault, driver->key, err,
                            "its Type is not 1: it is no driver");
    if (driver->override != NULL && driver->start != VERIFY_DISABLED)
        return verify_found(v, fault, driver->key, err,
                            "StartOverride\\%s turns it off", driver->override);
    if (driver->start == VERIFY_NO_NUMBER)
        return verify_found(v, fault, driver->key, err, "it has no Start");
    return verify_found(v, fault, driver->key, err, "its Start is %u, not 0",
                        driver->start);
}

/* 1: the file of @driver is there, as @has sees it; 0: it is not, and @ret says
 * so, new; or it stays NULL when that was told for another control set; -1 */
static int
find_file(struct verify *v, const char *link,
          int (*has)(struct verify *, const char *, struct v2v_error *),
          const struct verify_driver *driver, char **ret, struct v2v_error *err)
{
    int found = driver->path == NULL ? 0 : has(v, driver->path, err);
    int told = found == 0 ? verify_missed(v, link, driver, err) : 0;

    if (found != 0 || told != 0)
        return found > 0 ? 1 : found < 0 || told < 0 ? -1 : 0;
    *ret = driver->path == NULL
               ? v2v_strdup(driver->bad_path, err)
               : v2v_format(err, "its file %s is not there, or empty",
                            driver->path);
    return *ret == NULL ? -1 : 0;
}

static int
check_on_path(struct verify *v, const struct verify_driver *driver,
              struct v2v_error *err)
{
    const char *fault = chain_fault(driver);
    V2V_AUTO(mem) char *missing = NULL;
    int found;

    if (fault != NULL)
        return report_fault(v, fault, driver, err);
    found = find_file(v, "chain", verify_has_content, driver, &missing, err);
    if (missing != NULL)
        return verify_found(v, "chain-file-missing", driver->key, err, "%s",
                            missing);
    if (found <= 0)
        return found;
    return verify_holds(v, "chain", driver->key, err, "started at boot from %s",
                        driver->path);
}

static int
check_beside_path(struct verify *v, const struct verify_driver *driver,
                  struct v2v_error *err)
{
    if (chain_fault(driver) == NULL)
        return 0; /* its file: with all other boot-start services */
    return report_fault(v, "chain-service-off", driver, err);
}

static int
check_chain_service(struct verify *v, const struct verify_control_set *set,
                    size_t i, struct v2v_error *err)
{
    V2V_AUTO(verify_driver) struct verify_driver driver = { 0 };

    if (verify_driver_read(v, set->name, chain[i].name, &driver, err) < 0)
        return -1;
    if (verify_is_judged(v, driver.key))
        return 0;
    if (driver.exists)
        return chain[i].on_path ? check_on_path(v, &driver, err)
                                : check_beside_path(v, &driver, err);
    if (version(v) < chain[i].from)
        return 0;
    return verify_found(v, "chain-service-missing", driver.key, err,
                        "there is no such service, which every Windows of this "
                        "version has");
}

static int
check_chain(struct verify *v, const struct verify_control_set *set,
            struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++)
        if (check_chain_service(v, set, i, err) < 0)
            return -1;
    return 0;
}

/* ErrorControl of a service without which Windows does not start.
 * Source: Microsoft, "CM_Services registry tree": SERVICE_ERROR_SEVERE,
 * SERVICE_ERROR_CRITICAL. */
static bool
is_critical(const struct verify_driver *driver)
{
    return driver->error_control == 2 || driver->error_control == 3;
}

/* Does the loader look for its file? */
static bool
is_loaded_at_boot(const struct verify_driver *driver)
{
    return driver->exists && is_driver(driver) &&
           driver->start == VERIFY_BOOT_START && driver->override == NULL;
}

/* @sound: counts those that have their file. */
static int
check_boot_service(struct verify *v, const char *set, const char *name,
                   size_t *sound, struct v2v_error *err)
{
    V2V_AUTO(verify_driver) struct verify_driver driver = { 0 };
    V2V_AUTO(mem) char *missing = NULL;
    int found;

    if (verify_driver_read(v, set, name, &driver, err) < 0)
        return -1;
    if (!is_loaded_at_boot(&driver) || verify_is_judged(v, driver.key))
        return 0;
    found =
        find_file(v, "boot-services",
                  is_critical(&driver) ? verify_has_content : verify_is_listed,
                  &driver, &missing, err);
    *sound += found > 0;
    if (missing == NULL)
        return found < 0 ? -1 : 0;
    return verify_found(
        v, is_critical(&driver) ? "critical-file-missing" : "boot-file-missing",
        driver.key, err, "%s, and its ErrorControl is %u", missing,
        driver.error_control == VERIFY_NO_NUMBER ? 0 : driver.error_control);
}

static int
check_boot_services(struct verify *v, const struct verify_control_set *set,
                    struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Services", set->name);
    struct v2v_error why;
    size_t sound = 0;

    if (key == NULL)
        return -1;
    if (reg_children(v->system, key, &names, &why) < 0)
        return verify_unknown(v, "boot-services", key, err, "%s", why.text);
    for (size_t i = 0; i < names.count; i++)
        if (check_boot_service(v, set->name, names.items[i], &sound, err) < 0)
            return -1;
    return verify_holds(v, "boot-services", key, err,
                        "%zu other drivers are loaded at boot, and have their "
                        "files",
                        sound);
}

/* Source: Microsoft, "SAN policy": 3 keeps every new disk offline, 4 those that
 * are not the boot disk's. */
static int
check_san_policy(struct verify *v, const struct verify_control_set *set,
                 struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key = v2v_format(err, "%s\\Services\\partmgr\\Parameters", set->name);
    uint32_t policy;

    if (key == NULL)
        return -1;
    if (reg_get_dword(v->system, key, "SanPolicy", &policy, NULL) < 0)
        return 0;
    if (policy == 3 || policy == 4)
        return verify_found(v, "san-policy", key, err,
                            "SanPolicy is %u: Windows leaves disks offline "
                            "that it sees on a controller for the first time",
                            policy);
    return verify_holds(v, "san-policy", key, err, "SanPolicy is %u", policy);
}

/* The filters come before the bulk of services, of which they are some: a
 * filter without its file is worse than its ErrorControl says. */
static int (*const parts[])(struct verify *v,
                            const struct verify_control_set *set,
                            struct v2v_error *err) = {
    check_chain,
    verify_filters,
    check_boot_services,
    check_san_policy,
};

int
verify_chain(struct verify *v, struct v2v_error *err)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < v->set_count; i++) {
        v->lenient = !v->sets[i].booted;
        for (size_t k = 0; result == 0 && k < sizeof parts / sizeof *parts; k++)
            result = parts[k](v, &v->sets[i], err);
    }
    v->lenient = false;
    return result;
}
