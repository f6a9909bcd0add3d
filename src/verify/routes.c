/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows 8 and later: the kernel finds the boot controller's driver in the
 * driver database, before anything is installed, in its SYSTEM node: all
 * classes of boot devices are there in every hive that was read. */
#include <string.h>

#include "verify/driver.h"

/* Of the INF: told once, however many devices it serves. */
static const struct route_step package_steps[] = {
    { "inf", "inf-not-registered", look_registered, false },
    { "inf-active", "inf-not-active", look_active, false },
    { "package", "package-missing", look_package, false },
    { "inf-packages", "package-not-listed", look_listed, true },
    { "package-version", "package-version", look_version, true },
    { "package-architecture", "package-architecture", look_architecture, true },
    { "package-class", "package-class", look_class, true },
    { "package-configured", "package-not-configured", look_configured, false },
};

static const struct route_step device_steps[] = {
    { "descriptor", "descriptor-missing", look_descriptor, false },
    { "configuration", "configuration-missing", look_configuration, false },
    { "configuration-listed", "configuration-not-listed",
      look_configuration_listed, true },
    { "configuration-service", "configuration-no-service",
      look_configured_service, false },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The INFs whose package steps were gone. */
struct seen {
    const char *infs[DEVICES_MAX];
    int results[DEVICES_MAX];
    size_t count;
};

static int
unknown_behind(struct verify *v, const struct device *device,
               const struct match *match, struct v2v_error *err)
{
    for (size_t i = 0; i < COUNT(device_steps); i++)
        if (verify_unknown(v, device_steps[i].link, device->name, err,
                           "depends on a link of %s that is broken",
                           match->inf) < 0)
            return -1;
    return 0;
}

static int
follow_package(struct route *r, struct seen *seen, struct v2v_error *err)
{
    int result;

    for (size_t i = 0; i < seen->count; i++)
        if (v2v_equal_nocase(seen->infs[i], r->match->inf))
            return seen->results[i];
    result = route_follow(r, package_steps, COUNT(package_steps), err);
    seen->infs[seen->count] = r->match->inf;
    seen->results[seen->count++] = result;
    return result;
}

/* An id of the device that the package serves and that DeviceIds does not lead
 * from: the next one still matches, but with another rank, and nothing that
 * installs drivers leaves it so. */
static int
check_closed(const struct route *r, struct v2v_error *err)
{
    const struct match *m = r->match;

    for (size_t i = 0; i < r->device->ids.count; i++) {
        const char *id = r->device->ids.items[i];
        V2V_AUTO(mem)
        char *descriptor = v2v_format(
            err, "DriverDatabase\\DriverPackages\\%s\\Descriptors\\%s",
            m->package, id);
        V2V_AUTO(mem)
        char *key = v2v_format(err, "DriverDatabase\\DeviceIds\\%s", id);
        V2V_AUTO(bytes) struct v2v_bytes value = { 0 };
        struct v2v_error why;
        uint32_t type;
        int found;

        if (descriptor == NULL || key == NULL)
            return -1;
        found = database_has_key(m->hive, descriptor, err);
        if (found <= 0) {
            if (found < 0)
                return -1;
            continue;
        }
        found = reg_answer(reg_get(m->hive, key, m->inf, &type, &value, &why),
                           &why, err);
        if (found < 0 ||
            (found == 0 &&
             verify_found(r->v, "device-id-missing", key, err,
                          "%s: it does not lead to %s, whose package %s has a "
                          "descriptor for the id",
                          m->node, m->inf, m->package) < 0))
            return -1;
    }
    return 0;
}

/* What PnP would rather take and cannot use before an installation. */
static int
check_better(struct verify *v, const struct device *device,
             const struct matches *matches, struct v2v_error *err)
{
    const struct match *best = &matches->items[0];

    for (size_t i = 1; i < matches->count; i++) {
        const struct match *m = &matches->items[i];

        if (m->rank >= best->rank || v2v_equal_nocase(m->inf, best->inf))
            continue;
        return verify_found(v, "better-match-not-ready", device->name, err,
                            "%s ranks better than %s for it, by %s, and %s",
                            m->inf, best->inf, m->id,
                            *m->package == '\0' ? "its package is not there"
                                                : "is only staged");
    }
    return 0;
}

static int
add_driver(const struct route *r, struct drivers *drivers,
           struct v2v_error *err)
{
    struct driver driver = { .service = r->service,
                             .hive = r->match->hive,
                             .inf = r->match->inf,
                             .package = r->match->package };

    if (database_is_inbox(driver.hive, driver.inf, driver.package,
                          &driver.inbox, err) < 0)
        return -1;
    return drivers_add(drivers, &driver, err);
}

static int
follow(struct verify *v, const struct device *device,
       const struct matches *matches, struct seen *seen,
       struct drivers *drivers, struct v2v_error *err)
{
    const struct match *best = &matches->items[0];
    V2V_AUTO(route)
    struct route r = { .v = v, .device = device, .match = best };
    int result;

    if (verify_holds(v, "controller", device->name, err, "%s serves it",
                     best->inf) < 0 ||
        verify_holds(v, "device-id", best->id, err, "it leads to %s",
                     best->inf) < 0 ||
        check_better(v, device, matches, err) < 0)
        return -1;
    result = follow_package(&r, seen, err);
    if (result <= 0)
        return result < 0 ? -1 : unknown_behind(v, device, best, err);
    if (check_closed(&r, err) < 0)
        return -1;
    result = route_follow(&r, device_steps, COUNT(device_steps), err);
    return result <= 0 ? result : add_driver(&r, drivers, err);
}

/* Not in SYSTEM: in the other node, or nowhere. */
static int
lost(struct verify *v, const struct device *device, struct drivers *drivers,
     struct v2v_error *err)
{
    V2V_AUTO(matches) struct matches others = { 0 };
    int found = device_installed(v, device, "device-id", drivers, err);

    if (found != 0)
        return found < 0 ? -1 : 0;
    if (matches_find(v->drivers, "DRIVERS", device, &others, err) < 0)
        return -1;
    return device_lost(v, device,
                       others.count > 0 ? "device-id-in-drivers"
                                        : "device-id-missing",
                       device->ids.items[0], false, err);
}

int
routes_by_database(struct verify *v, const struct device_list *devices,
                   struct drivers *ret, struct v2v_error *err)
{
    struct matches matches[DEVICES_MAX] = { { 0 } };
    struct seen seen = { 0 };
    int result = 0;

    for (size_t i = 0; result == 0 && i < devices->count; i++) {
        const struct device *device = &devices->items[i];

        result = matches_find(v->system, "SYSTEM", device, &matches[i], err);
        if (result < 0)
            break;
        matches_sort(&matches[i], true);
        result = matches[i].count > 0
                     ? follow(v, device, &matches[i], &seen, ret, err)
                     : lost(v, device, ret, err);
    }
    for (size_t i = 0; i < DEVICES_MAX; i++)
        matches_done(&matches[i]);
    return result < 0 ? -1 : 0;
}
