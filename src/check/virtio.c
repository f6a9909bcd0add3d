/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio drivers that are in the guest already: which, how old, and whether the
 * boot drivers among them would really boot it. */
#include <string.h>
#include <time.h>

#include "check/internal.h"

/* The INFs of virtio-win 0.1.240; files as their ServiceBinary says. */
const struct check_virtio_driver check_virtio_drivers[] = {
    { "viostor", "viostor.inf", "viostor.sys", true },
    { "vioscsi", "vioscsi.inf", "vioscsi.sys", true },
    { "NetKVM", "netkvm.inf", "netkvm.sys", false },
    { "Balloon", "balloon.inf", "balloon.sys", false },
    { "vioserial", "vioser.inf", "vioser.sys", false },
    { "viorng", "viorng.inf", "viorng.sys", false },
    { "vioinput", "vioinput.inf", "vioinput.sys", false },
    { "viofs", "viofs.inf", "viofs.sys", false },
    { "viogpudo", "viogpudo.inf", "viogpudo.sys", false },
    { "viomem", "viomem.inf", "viomem.sys", false },
    { "viosock", "viosock.inf", "viosock.sys", false },
    { "pvpanic", "pvpanic.inf", "pvpanic.sys", false },
    { "pvpanic", "pvpanic-pci.inf", "pvpanic.sys", false },
    { "fwcfg", "fwcfg.inf", "fwcfg.sys", false },
    { "qemufwcfg", "qemufwcfg.inf", NULL, false },
    { "smbus", "smbus.inf", NULL, false },
    { "qxldod", "qxldod.inf", "qxldod.sys", false },
    { NULL, NULL, NULL, false }
};

/* ---- packages in the driver database (Windows 8 and later) */

/* The binary value Version; every package of hives of Windows 8.1 to 10 2004
 * has it so. */
enum {
    VERSION_DATE = 0x18,  /* u64 FILETIME of the DriverVer date, 00:00 UTC */
    VERSION_NUMBER = 0x20 /* u16 times four, the last part first */
};

static struct inf_driver_ver
version_of(const struct facts_package *package)
{
    /* FILETIME: 100 ns since 1601; 1970 is 11644473600 s later */
    uint64_t date = v2v_get_le(package->version + VERSION_DATE, 8);
    time_t seconds = (time_t)(date / 10000000) - 11644473600;
    struct inf_driver_ver ret = { .has_date = true, .has_version = true };
    struct tm tm = { 0 };

    if (gmtime_r(&seconds, &tm) != NULL) {
        ret.year = (uint16_t)(tm.tm_year + 1900);
        ret.month = (uint16_t)(tm.tm_mon + 1);
        ret.day = (uint16_t)tm.tm_mday;
    }
    for (size_t i = 0; i < 4; i++)
        ret.version[i] = (uint16_t)v2v_get_le(
            package->version + VERSION_NUMBER + 2 * (3 - i), 2);
    return ret;
}

/* Windows takes the later date, then the higher version (Microsoft, "How
 * Windows selects a driver package"). */
static int
compare_versions(const struct inf_driver_ver *a, const struct inf_driver_ver *b)
{
    const unsigned x[] = { a->year,       a->month,      a->day,
                           a->version[0], a->version[1], a->version[2],
                           a->version[3] };
    const unsigned y[] = { b->year,       b->month,      b->day,
                           b->version[0], b->version[1], b->version[2],
                           b->version[3] };

    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* The newest package of an INF, or NULL. */
static const struct facts_package *
find_newest(const struct facts *facts, const char *inf)
{
    const struct facts_package *newest = NULL;

    for (size_t i = 0; i < facts->package_count; i++) {
        const struct facts_package *p = &facts->packages[i];
        struct inf_driver_ver ours, best;

        if (!v2v_equal_nocase(p->inf_name, inf))
            continue;
        ours = version_of(p);
        if (newest != NULL)
            best = version_of(newest);
        if (newest == NULL || compare_versions(&ours, &best) > 0)
            newest = p;
    }
    return newest;
}

static const struct driver_package *
find_chosen(const struct check *check, const char *inf)
{
    const struct drivers_choice *choice = check->in->choice;

    for (size_t i = 0; choice != NULL && i < choice->count; i++)
        if (v2v_equal_nocase(choice->items[i].inf_name, inf))
            return &choice->items[i];
    return NULL;
}

static const char *
presence_code(const struct facts_package *there,
              const struct driver_package *chosen)
{
    struct inf_driver_ver version = version_of(there);
    int order;

    if (chosen == NULL || !there->has_version)
        return "virtio-present";
    order = compare_versions(&version, &chosen->version.driver_ver);
    if (order > 0)
        return chosen->boot ? "boot-driver-newer" : "driver-newer";
    return order == 0 ? "virtio-same" : "virtio-older";
}

static int
check_package(struct check *check, const struct check_virtio_driver *driver,
              struct v2v_error *err)
{
    const struct facts_package *there =
        find_newest(check->in->facts, driver->inf);
    const struct driver_package *chosen = find_chosen(check, driver->inf);
    struct inf_driver_ver ver;
    V2V_AUTO(mem) char *on_medium = NULL;

    if (there == NULL)
        return 0;
    ver = version_of(there);
    if (chosen != NULL) {
        const uint16_t *v = chosen->version.driver_ver.version;

        on_medium = v2v_format(err, "; the medium has %u.%u.%u.%u", v[0], v[1],
                               v[2], v[3]);
        if (on_medium == NULL)
            return -1;
    }
    return check_found(
        check, presence_code(there, chosen), err,
        "%s %u.%u.%u.%u of %04u-%02u-%02u is in the driver store (%s, %s)%s",
        driver->driver, ver.version[0], ver.version[1], ver.version[2],
        ver.version[3], ver.year, ver.month, ver.day, there->oem_inf,
        there->name, on_medium != NULL ? on_medium : "");
}

static int
check_packages(struct check *check, struct v2v_error *err)
{
    for (const struct check_virtio_driver *d = check_virtio_drivers;
         d->driver != NULL; d++)
        if (check_package(check, d, err) < 0)
            return -1;
    return 0;
}

/* ---- boot drivers: would they boot the guest? */

/* How the driver stands, the worst that was found last. */
enum state {
    STATE_ABSENT,
    STATE_READY,
    STATE_STAGED,  /* in the driver store, and not configured */
    STATE_ORPHAN,  /* a service that no package has: not bound to a device */
    STATE_DEMOTED, /* configured, and not loaded at boot */
    STATES
};

static const char *const state_codes[STATES] = {
    [STATE_STAGED] = "virtio-staged",
    [STATE_ORPHAN] = "virtio-service-only",
    [STATE_DEMOTED] = "virtio-demoted",
};

struct boot_driver {
    const struct check_virtio_driver *driver;
    const struct facts_package *package; /* the newest; NULL: none */
    enum state state;
    char *where; /* what showed it */
};

/* Windows writes Configurations when it has configured a package: without,
 * the kernel cannot bind the boot disk to it. */
static int
is_configured(struct check *check, const struct facts_package *package,
              struct v2v_error *err)
{
    struct reg_hive *hive = check->in->hives->items[package->hive].hive;
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "DriverDatabase\\DriverPackages\\%s\\Configurations",
                   package->name);
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (check_children(hive, key, &names, err) < 0)
        return -1;
    return names.count > 0;
}

/* virt-v2v's own package for the boot driver, whatever that is. */
static const char guestor[] = "DriverDatabase\\DriverInfFiles\\guestor.inf";

/* Before Windows 8 a service stands alone. */
static int
is_bound(struct check *check, const struct boot_driver *d,
         struct v2v_error *err)
{
    if (d->package != NULL || !check->in->facts->has_driver_database)
        return 1;
    return check_has_key(check->system, guestor, err);
}

static int
set_state(struct boot_driver *d, enum state state, char *where)
{
    d->state = state;
    d->where = where;
    return where == NULL ? -1 : 0;
}

/* An empty key, which some uninstallers leave, is no service. */
static int
read_service(struct check *check, struct boot_driver *d, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Services\\%s",
                                         check->control_set, d->driver->driver);
    V2V_AUTO(mem) char *override =
        v2v_format(err, "%s\\StartOverride", key != NULL ? key : "");
    uint32_t start = 0;
    int has = check_get_dword(check->system, key, "Start", &start, err);
    int overridden = check_has_key(check->system, override, err);
    int bound = is_bound(check, d, err);

    if (has < 0 || overridden < 0 || bound < 0)
        return -1;
    if (has == 0)
        return 0;
    if (!bound)
        return set_state(d, STATE_ORPHAN,
                         v2v_format(err, "SYSTEM\\%s, and no package of %s",
                                    key, d->driver->inf));
    if (start != 0)
        return set_state(
            d, STATE_DEMOTED,
            v2v_format(err, "SYSTEM\\%s: Start is %u", key, start));
    if (overridden)
        return set_state(d, STATE_DEMOTED,
                         v2v_format(err, "SYSTEM\\%s is there", override));
    d->state = STATE_READY;
    return 0;
}

static int
read_boot_driver(struct check *check, struct boot_driver *d,
                 struct v2v_error *err)
{
    int configured;

    d->package = find_newest(check->in->facts, d->driver->inf);
    if (d->package == NULL)
        return read_service(check, d, err);
    configured = is_configured(check, d->package, err);
    if (configured < 0 || read_service(check, d, err) < 0)
        return -1;
    if (d->state != STATE_ABSENT && configured)
        return 0;
    free(d->where);
    return set_state(
        d, STATE_STAGED,
        v2v_format(err, "%s (%s): %s", d->package->oem_inf, d->package->name,
                   configured ? "there is no service" : "no Configurations"));
}

static int
report_boot_driver(struct check *check, const struct boot_driver *d,
                   bool other_ready, struct v2v_error *err)
{
    bool completed = find_chosen(check, d->driver->inf) != NULL;

    if (state_codes[d->state] == NULL)
        return 0;
    return check_found(
        check,
        completed || other_ready ? "virtio-incomplete" : state_codes[d->state],
        err, "%s would not boot this guest: %s", d->driver->driver, d->where);
}

/* Of viostor and vioscsi Windows demotes the one that has no device. */
static int
check_boot_drivers(struct check *check, struct v2v_error *err)
{
    struct boot_driver drivers[] = {
        { .driver = &check_virtio_drivers[0] },
        { .driver = &check_virtio_drivers[1] },
    };
    bool ready = false;
    int result = 0;

    for (size_t i = 0; result == 0 && i < 2; i++) {
        result = read_boot_driver(check, &drivers[i], err);
        ready |= drivers[i].state == STATE_READY;
    }
    for (size_t i = 0; result == 0 && i < 2; i++)
        result = report_boot_driver(check, &drivers[i], ready, err);
    for (size_t i = 0; i < 2; i++)
        free(drivers[i].where);
    return result;
}

/* ---- what virt-v2v leaves */

static int
check_stub(struct check *check, struct v2v_error *err)
{
    int has = check_has_key(check->system, guestor, err);

    if (has <= 0)
        return has;
    return check_found(check, "virt-v2v-stub", err,
                       "SYSTEM\\%s: a package without files, as virt-v2v "
                       "writes",
                       guestor);
}

/* Its service runs the scripts with rhsrvany.exe, or SUSE's pvvxsvc.exe, and
 * is gone when the last has ended (libguestfs-common, firstboot.ml). */
static int
check_firstboot(struct check *check, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Services\\firstboot", check->control_set);
    V2V_AUTO(mem) char *image = NULL;
    int has = check_get_string(check->system, key, "ImagePath", &image, err);

    if (has <= 0)
        return has;
    v2v_lower(image);
    if (strstr(image, "rhsrvany") == NULL && strstr(image, "pvvxsvc") == NULL)
        return 0;
    return check_found(check, "virt-v2v-firstboot", err, "SYSTEM\\%s: %s", key,
                       image);
}

const check_rule check_virtio_rules[] = {
    check_packages, check_boot_drivers, check_stub, check_firstboot, NULL,
};
