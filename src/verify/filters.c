/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/internal.h"

/* The classes of the devices between the system's root and the system volume.
 * Source: Microsoft, "System-defined device setup classes available to
 * vendors"; Azure/repair-script-library, win-fix-inaccessible-boot-device,
 * which looks at the same ones. */
static const struct {
    const char *name, *guid;
} classes[] = {
    { "Computer", "{4d36e966-e325-11ce-bfc1-08002be10318}" },
    { "System", "{4d36e97d-e325-11ce-bfc1-08002be10318}" },
    { "SCSIAdapter", "{4d36e97b-e325-11ce-bfc1-08002be10318}" },
    { "HDC", "{4d36e96a-e325-11ce-bfc1-08002be10318}" },
    { "DiskDrive", "{4d36e967-e325-11ce-bfc1-08002be10318}" },
    { "Volume", "{71a27cdd-812a-11d0-bec7-08002be2092f}" },
};

static const char *const lists[] = { "UpperFilters", "LowerFilters" };

/* Where a filter is named. */
struct place {
    const char *set;  /* "ControlSet001" */
    const char *key;  /* of the class or the device */
    const char *list; /* "UpperFilters" */
};

/* A filter that was looked at already, in the chain or in another list: what
 * was found there stands for it here. */
static int
check_judged(struct verify *v, const struct place *at, const char *name,
             const char *service, struct v2v_error *err)
{
    for (size_t i = 0; i < v->result->count; i++) {
        const struct verify_link *link = &v->result->links[i];

        if (link->code != NULL && v2v_equal_nocase(link->subject, service))
            return verify_unknown(v, "filters", at->key, err,
                                  "%s names %s: see %s: %s", at->list, name,
                                  link->link, link->code->name);
    }
    return 1;
}

/* 1: nothing wrong with it; 0: something was found; or -1 */
static int
check_service(struct verify *v, const struct place *at, const char *name,
              const struct verify_driver *driver, struct v2v_error *err)
{
    int found, told = 0;

    if (!driver->exists)
        return verify_found(v, "filter-service-missing", driver->key, err,
                            "%s of %s names %s, and there is no such service",
                            at->list, at->key, name);
    if (driver->start == VERIFY_DISABLED)
        return verify_found(v, "filter-disabled", driver->key, err,
                            "%s of %s names %s, which is disabled (Start 4)",
                            at->list, at->key, name);
    if (driver->override != NULL)
        return verify_found(v, "filter-disabled", driver->key, err,
                            "%s of %s names %s, which StartOverride\\%s turns "
                            "off",
                            at->list, at->key, name, driver->override);
    found = driver->path == NULL ? 0 : verify_has_content(v, driver->path, err);
    if (found == 0)
        told = verify_missed(v, "filters", driver, err);
    if (found != 0 || told != 0)
        return found != 0 ? found : told < 0 ? -1 : 0;
    return verify_found(v, "filter-file-missing", driver->key, err,
                        "%s of %s names %s, and %s%s", at->list, at->key, name,
                        driver->path != NULL ? "there is no file "
                                             : driver->bad_path,
                        driver->path != NULL ? driver->path : "");
}

static int
check_filter(struct verify *v, const struct place *at, const char *name,
             struct v2v_error *err)
{
    V2V_AUTO(verify_driver) struct verify_driver driver = { 0 };

    if (verify_driver_read(v, at->set, name, &driver, err) < 0)
        return -1;
    return verify_is_judged(v, driver.key)
               ? check_judged(v, at, name, driver.key, err)
               : check_service(v, at, name, &driver, err);
}

/* Both lists of a class or a device.  @names: those that are sound, added. */
static int
check_lists(struct verify *v, const char *set, const char *key,
            struct v2v_bytes *names, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct place at = { set, key, lists[i] };
        V2V_AUTO(strings) struct v2v_strings filters = { 0 };

        if (reg_get_strings(v->system, key, lists[i], &filters, NULL) < 0)
            continue;
        for (size_t k = 0; k < filters.count; k++) {
            int sound = check_filter(v, &at, filters.items[k], err);

            if (sound < 0 ||
                (sound > 0 &&
                 v2v_bytes_list(names, err, "%s", filters.items[k]) < 0))
                return -1;
        }
    }
    return 0;
}

static int
check_class(struct verify *v, const char *set, size_t i, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    V2V_AUTO(mem)
    char *key = v2v_format(err, "%s\\Control\\Class\\%s", set, classes[i].guid);

    if (key == NULL || check_lists(v, set, key, &names, err) < 0)
        return -1;
    if (names.len == 0)
        return 0;
    return verify_holds(v, "filters", key, err, "class %s: %.*s",
                        classes[i].name, (int)names.len,
                        (const char *)names.data);
}

/* The drivers of the buses behind which every controller is.
 * Source: as for the classes: filters of the ACPI devices that these serve.
 * Enum\PCI is not looked at: its bridges are those of the old machine. */
static bool
is_bus(const char *service)
{
    static const char *const buses[] = { "ACPI", "pci", "vmbus" };

    for (size_t i = 0; i < sizeof buses / sizeof *buses; i++)
        if (v2v_equal_nocase(service, buses[i]))
            return true;
    return false;
}

static int
check_instance(struct verify *v, const char *set, const char *key,
               struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    V2V_AUTO(mem) char *service = NULL;

    if (reg_get_string(v->system, key, "Service", &service, NULL) < 0 ||
        !is_bus(service))
        return 0;
    if (check_lists(v, set, key, &names, err) < 0)
        return -1;
    if (names.len == 0)
        return 0;
    return verify_holds(v, "filters", key, err, "%.*s", (int)names.len,
                        (const char *)names.data);
}

static int
check_device(struct verify *v, const char *set, const char *device,
             struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings instances = { 0 };

    if (reg_children(v->system, device, &instances, NULL) < 0)
        return 0;
    for (size_t i = 0; i < instances.count; i++) {
        V2V_AUTO(mem)
        char *key = v2v_format(err, "%s\\%s", device, instances.items[i]);

        if (key == NULL || check_instance(v, set, key, err) < 0)
            return -1;
    }
    return 0;
}

static int
check_devices(struct verify *v, const char *set, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings devices = { 0 };
    V2V_AUTO(mem) char *top = v2v_format(err, "%s\\Enum\\ACPI", set);

    if (top == NULL)
        return -1;
    if (reg_children(v->system, top, &devices, NULL) < 0)
        return 0;
    for (size_t i = 0; i < devices.count; i++) {
        V2V_AUTO(mem)
        char *device = v2v_format(err, "%s\\%s", top, devices.items[i]);

        if (device == NULL || check_device(v, set, device, err) < 0)
            return -1;
    }
    return 0;
}

int
verify_filters(struct verify *v, const struct verify_control_set *set,
               struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (check_class(v, set->name, i, err) < 0)
            return -1;
    return check_devices(v, set->name, err);
}
