/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Before Windows 8: the kernel finds the boot controller's driver in
 * Control\CriticalDeviceDatabase of the control set that it boots, under the
 * device's ids with '#' for '\'.
 *
 * Source: that key in hives of Windows XP, 2003 and 7, and what virt-v2v writes
 * there. */
#include <string.h>

#include "verify/driver.h"

static char *
critical_key(const struct verify_control_set *set, const char *id,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = v2v_strdup(id, err);

    if (name == NULL)
        return NULL;
    v2v_replace_char(name, '\\', '#');
    return v2v_format(err, "%s\\Control\\CriticalDeviceDatabase\\%s", set->name,
                      name);
}

/* A key of an id.  @ret: its service, if it has none yet */
static int
check_key(struct verify *v, const char *key, char **ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *service = NULL;
    V2V_AUTO(mem) char *class = NULL;
    int has_service = database_text(v->system, key, "Service", &service, err);
    int has_class = database_text(v->system, key, "ClassGUID", &class, err);

    if (has_service < 0 || has_class < 0)
        return -1;
    if (has_service > 0 && strpbrk(service, "\\/") != NULL)
        has_service = 0;
    if (!has_service)
        return verify_found(v, "critical-device-no-service", key, err,
                            "there is no value Service");
    if (!has_class && verify_found(v, "critical-device-no-class", key, err,
                                   "there is no value ClassGUID") < 0)
        return -1;
    if (has_class && verify_holds(v, "critical-device", key, err,
                                  "Service is %s", service) < 0)
        return -1;
    if (*ret == NULL)
        *ret = v2v_steal(service);
    return 0;
}

/* How many keys the device has in a set; @ret as above. */
static int
check_set(struct verify *v, const struct verify_control_set *set,
          const struct device *device, size_t *count, char **ret,
          struct v2v_error *err)
{
    for (size_t i = 0; i < device->ids.count; i++) {
        V2V_AUTO(mem) char *key = critical_key(set, device->ids.items[i], err);
        int found = key != NULL ? database_has_key(v->system, key, err) : -1;

        if (found < 0)
            return -1;
        if (found == 0)
            continue;
        ++*count;
        if (check_key(v, key, ret, err) < 0)
            return -1;
    }
    return 0;
}

/* Is there a key for it in any set? */
static int
is_anywhere(struct verify *v, const struct device *device,
            struct v2v_error *err)
{
    for (size_t i = 0; i < v->set_count; i++) {
        for (size_t k = 0; k < device->ids.count; k++) {
            V2V_AUTO(mem)
            char *key = critical_key(&v->sets[i], device->ids.items[k], err);
            int found =
                key != NULL ? database_has_key(v->system, key, err) : -1;

            if (found != 0)
                return found;
        }
    }
    return 0;
}

/* A driver of before virtio 1.0 has the old ids only, and those days' machines
 * show no others: not worth an alarm unless the machine is known.  1, 0 or -1
 */
static int
may_lack(struct verify *v, const struct device_list *devices,
         struct v2v_error *err)
{
    int found = 0;

    if (v->in->facts->target.major >= 6 ||
        (v->in->machine != NULL &&
         v->in->machine->controller_ids != DOMAIN_VIRTIO_EITHER))
        return 0;
    for (size_t i = 0; found == 0 && i < devices->count; i++)
        found = is_anywhere(v, &devices->items[i], err);
    return found;
}

static int
follow_set(struct verify *v, const struct verify_control_set *set,
           const struct device *device, struct drivers *drivers,
           struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = critical_key(set, device->ids.items[0], err);
    V2V_AUTO(mem) char *service = NULL;
    size_t count = 0;

    if (key == NULL || check_set(v, set, device, &count, &service, err) < 0)
        return -1;
    if (count == 0)
        return verify_found(v, "critical-device-missing", key, err,
                            "none of the ids of %s has a key there",
                            device->name);
    if (service == NULL)
        return verify_unknown(v, "service", device->name, err,
                              "depends on the link critical-device in %s",
                              set->name);
    /* in another set it only matters when this one fails */
    if (!set->booted)
        return 0;
    return drivers_add(drivers,
                       &(struct driver){ .service = service,
                                         .inf = (char[]){ "" },
                                         .package = (char[]){ "" } },
                       err);
}

static int
lost(struct verify *v, const struct device_list *devices,
     const struct device *device, struct drivers *drivers,
     struct v2v_error *err)
{
    int found = device_installed(v, device, "critical-device", drivers, err);
    int optional = found == 0 ? may_lack(v, devices, err) : 0;

    if (found != 0 || optional < 0)
        return found > 0 ? 0 : -1;
    return device_lost(v, device, "critical-device-missing",
                       device->ids.items[0], optional > 0, err);
}

static int
follow_device(struct verify *v, const struct device_list *devices,
              const struct device *device, struct drivers *drivers,
              struct v2v_error *err)
{
    int found = is_anywhere(v, device, err), result = 0;

    if (found <= 0)
        return found < 0 ? -1 : lost(v, devices, device, drivers, err);
    if (verify_holds(v, "controller", device->name, err,
                     "CriticalDeviceDatabase has it") < 0)
        return -1;
    for (size_t i = 0; result == 0 && i < v->set_count; i++) {
        v->lenient = !v->sets[i].booted;
        result = follow_set(v, &v->sets[i], device, drivers, err);
    }
    v->lenient = false;
    return result;
}

/* Windows came with the driver: critical devices of its own name the package.
 */
static int
find_inbox(struct verify *v, struct driver *driver, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "%s\\Services\\%s", v->sets[0].name, driver->service);
    V2V_AUTO(mem) char *package = NULL;
    int found;

    if (key == NULL)
        return -1;
    found = database_text(v->system, key, "DriverPackageId", &package, err);
    driver->inbox = found > 0;
    return found < 0 ? -1 : 0;
}

int
routes_by_critical_devices(struct verify *v, const struct device_list *devices,
                           struct drivers *ret, struct v2v_error *err)
{
    for (size_t i = 0; i < devices->count; i++)
        if (follow_device(v, devices, &devices->items[i], ret, err) < 0)
            return -1;
    for (size_t i = 0; i < ret->count; i++)
        if (!ret->items[i].inbox && find_inbox(v, &ret->items[i], err) < 0)
            return -1;
    return 0;
}
