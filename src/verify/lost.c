/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device from whose ids no way leads to a driver: was there ever one? */
#include <string.h>

#include "verify/driver.h"

/* 1 and @ret, or 0, or -1 */
static int
trace_in_sets(struct verify *v, const struct device *device, char **ret,
              struct v2v_error *err)
{
    for (size_t i = 0; i < v->set_count; i++) {
        V2V_AUTO(mem)
        char *key = v2v_format(err, "%s\\Services\\%s", v->sets[i].name,
                               device->service);
        int found = key != NULL ? database_has_key(v->system, key, err) : -1;

        if (found > 0)
            *ret = v2v_steal(key);
        if (found != 0)
            return found;
    }
    return 0;
}

static int
trace_in_critical(struct verify *v, const struct device *device, char **ret,
                  struct v2v_error *err)
{
    for (size_t i = 0; i < v->set_count * device->ids.count; i++) {
        V2V_AUTO(mem)
        char *name = v2v_strdup(device->ids.items[i % device->ids.count], err);
        V2V_AUTO(mem) char *key = NULL;
        int found;

        if (name == NULL)
            return -1;
        v2v_replace_char(name, '\\', '#');
        key = v2v_format(err, "%s\\Control\\CriticalDeviceDatabase\\%s",
                         v->sets[i / device->ids.count].name, name);
        found = key != NULL ? database_has_key(v->system, key, err) : -1;
        if (found > 0)
            *ret = v2v_format(err, "%s%s", key,
                              v->in->facts->has_driver_database
                                  ? ", which does not count since Windows 8"
                                  : "");
        if (found != 0)
            return found > 0 && *ret != NULL ? 1 : -1;
    }
    return 0;
}

static int
trace_in_package(struct reg_hive *hive, const char *package,
                 const struct device *device, char **ret, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key = v2v_format(
        err, "DriverDatabase\\DriverPackages\\%s\\Descriptors", package);
    int found = key != NULL ? database_has_key(hive, key, err) : -1;

    for (size_t i = 0; found > 0 && i < device->ids.count; i++) {
        V2V_AUTO(mem)
        char *id = v2v_format(err, "%s\\%s", key, device->ids.items[i]);
        int has = id != NULL ? database_has_key(hive, id, err) : -1;

        if (has > 0)
            *ret = v2v_steal(id);
        if (has != 0)
            return has;
    }
    return found < 0 ? -1 : 0;
}

static int
trace_in_packages(struct verify *v, const struct device *device, char **ret,
                  struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings packages = { 0 };
    struct v2v_error why;
    int found =
        reg_answer(reg_children(v->system, "DriverDatabase\\DriverPackages",
                                &packages, &why),
                   &why, err);

    for (size_t i = 0; found > 0 && i < packages.count; i++) {
        int has =
            trace_in_package(v->system, packages.items[i], device, ret, err);

        if (has != 0)
            return has;
    }
    return found < 0 ? -1 : 0;
}

static int
trace_in_node(struct reg_hive *hive, const char *node,
              const struct device *device, char **ret, struct v2v_error *err)
{
    V2V_AUTO(matches) struct matches matches = { 0 };

    if (matches_find(hive, node, device, &matches, err) < 0)
        return -1;
    if (matches.count == 0)
        return 0;
    *ret = v2v_format(err, "%s: DriverDatabase\\DeviceIds\\%s leads to %s",
                      node, matches.items[0].id, matches.items[0].inf);
    return *ret != NULL ? 1 : -1;
}

int
device_trace(struct verify *v, const struct device *device, char **ret,
             struct v2v_error *err)
{
    int found = 0;

    *ret = NULL;
    if (v->in->facts->has_driver_database) {
        found = trace_in_node(v->system, "SYSTEM", device, ret, err);
        if (found == 0)
            found = trace_in_node(v->drivers, "DRIVERS", device, ret, err);
        if (found == 0)
            found = trace_in_packages(v, device, ret, err);
    }
    if (found == 0)
        found = trace_in_critical(v, device, ret, err);
    if (found == 0)
        found = trace_in_sets(v, device, ret, err);
    return found < 0 ? -1 : 0;
}

/* The service of an instance of the device that Windows has set up; 1; 0; -1
 */
static int
find_instance(struct verify *v, const char *key, char **ret,
              struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings instances = { 0 };
    struct v2v_error why;
    int found =
        reg_answer(reg_children(v->system, key, &instances, &why), &why, err);

    for (size_t i = 0; found > 0 && i < instances.count; i++) {
        V2V_AUTO(mem)
        char *instance = v2v_format(err, "%s\\%s", key, instances.items[i]);
        int has = instance != NULL
                      ? database_text(v->system, instance, "Service", ret, err)
                      : -1;

        if (has != 0)
            return has;
    }
    return found < 0 ? -1 : 0;
}

static int
find_installed(struct verify *v, const struct device *device, char **ret,
               struct v2v_error *err)
{
    const char *name = strchr(device->enumerated, '\\') + 1;
    V2V_AUTO(mem)
    char *bus =
        v2v_format(err, "%s\\Enum\\%.*s", v->sets[0].name,
                   (int)(name - 1 - device->enumerated), device->enumerated);
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error why;
    int found;

    if (bus == NULL)
        return -1;
    found = reg_answer(reg_children(v->system, bus, &names, &why), &why, err);
    for (size_t i = 0; found > 0 && i < names.count; i++) {
        V2V_AUTO(mem) char *key =
            v2v_format(err, "%s\\%s", bus, names.items[i]);
        int has;

        if (key == NULL)
            return -1;
        if (!v2v_has_prefix_nocase(names.items[i], name))
            continue;
        has = find_instance(v, key, ret, err);
        if (has != 0)
            return has;
    }
    return found < 0 ? -1 : 0;
}

int
device_installed(struct verify *v, const struct device *device,
                 const char *link, struct drivers *drivers,
                 struct v2v_error *err)
{
    V2V_AUTO(mem) char *service = NULL;
    int found = device->enumerated != NULL && v->set_count > 0
                    ? find_installed(v, device, &service, err)
                    : 0;

    if (found <= 0)
        return found;
    if (verify_unknown(v, link, device->name, err,
                       "none of its ids leads to a driver, but Windows has set "
                       "one up with the service %s; whether it is in the same "
                       "slot cannot be told",
                       service) < 0)
        return -1;
    return drivers_add(drivers,
                       &(struct driver){ .service = service,
                                         .inf = (char[]){ "" },
                                         .package = (char[]){ "" },
                                         .inbox = true },
                       err) < 0
               ? -1
               : 1;
}

int
device_lost(struct verify *v, const struct device *device, const char *code,
            const char *subject, bool optional, struct v2v_error *err)
{
    V2V_AUTO(mem) char *trace = NULL;
    const char *broken = code;

    if (device_trace(v, device, &trace, err) < 0)
        return -1;
    if (optional || trace == NULL)
        broken =
            optional ? "controller-form-not-covered" : "controller-not-covered";
    if (verify_found(
            v, broken, trace != NULL && !optional ? subject : device->name, err,
            "%s: no driver is found for it by any of its ids%s%s", device->name,
            trace != NULL ? "; there is " : "", trace != NULL ? trace : "") < 0)
        return -1;
    return verify_unknown(v, "service", device->name, err,
                          "which one it is depends on the link that is broken: "
                          "%s",
                          broken);
}
