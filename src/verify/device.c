/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/device.h"

#include <string.h>

#include "verify/driver.h"
#include "verify/files.h"

/* ---- drivers */

static void
driver_done(struct driver *driver)
{
    free(driver->service);
    free(driver->inf);
    free(driver->package);
}

void
drivers_done(struct drivers *drivers)
{
    for (size_t i = 0; i < drivers->count; i++)
        driver_done(&drivers->items[i]);
    *drivers = (struct drivers){ 0 };
}

int
drivers_add(struct drivers *drivers, const struct driver *driver,
            struct v2v_error *err)
{
    struct driver copy = *driver;

    for (size_t i = 0; i < drivers->count; i++)
        if (v2v_equal_nocase(drivers->items[i].service, driver->service))
            return 0;
    if (drivers->count == DEVICES_MAX)
        return 0;
    copy.service = v2v_strdup(driver->service, err);
    copy.inf = v2v_strdup(driver->inf, err);
    copy.package = v2v_strdup(driver->package, err);
    if (copy.service != NULL && copy.inf != NULL && copy.package != NULL) {
        drivers->items[drivers->count++] = copy;
        return 0;
    }
    driver_done(&copy);
    return -1;
}

/* ---- the driver, its file and its package */

/* Windows writes the INF into Owners; others do not, and it boots. */
static int
check_owner(struct verify *v, const struct driver *driver,
            const struct verify_control_set *set, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key = v2v_format(err, "%s\\Services\\%s", set->name, driver->service);
    V2V_AUTO(strings) struct v2v_strings owners = { 0 };
    struct v2v_error why;
    int found;

    if (key == NULL)
        return -1;
    found = reg_answer(reg_get_strings(v->system, key, "Owners", &owners, &why),
                       &why, err);
    if (found <= 0 || owners.count == 0)
        return found < 0 ? -1 : 0;
    if (v2v_strings_has_nocase(&owners, driver->inf))
        return verify_holds(v, "service-owner", key, err, "Owners names %s",
                            driver->inf);
    return verify_found(v, "service-owner", key, err, "Owners names %s, not %s",
                        owners.items[0], driver->inf);
}

/* @ret: the file of the control set that is booted, or NULL */
static int
check_services(struct verify *v, const struct driver *driver, char **ret,
               struct v2v_error *err)
{
    for (size_t i = 0; i < v->set_count; i++) {
        const struct verify_control_set *set = &v->sets[i];
        V2V_AUTO(mem) char *path = NULL;
        int result;

        v->lenient = !set->booted;
        result = verify_service(v, set, driver->service, &path, err);
        if (result == 0 && *driver->inf != '\0')
            result = check_owner(v, driver, set, err);
        v->lenient = false;
        if (result < 0)
            return -1;
        if (*ret == NULL && set->booted)
            *ret = v2v_steal(path);
    }
    return 0;
}

/* Where the service that is booted says that its file is, be it there or not;
 * @ret stays NULL when it does not say. */
static int
find_file(struct verify *v, const struct driver *driver, char **ret,
          struct v2v_error *err)
{
    V2V_AUTO(verify_driver) struct verify_driver read = { 0 };

    if (v->set_count == 0 || !v->sets[0].booted)
        return 0;
    if (verify_driver_read(v, v->sets[0].name, driver->service, &read, err) < 0)
        return -1;
    *ret = v2v_steal(read.path);
    return 0;
}

static int
check_store(struct verify *v, const struct driver *driver, const char *path,
            struct v2v_error *err)
{
    struct store_question question = { .folder_link = "driver-store",
                                       .folder_code = "package-dangling",
                                       .files_link = "driver-store-files",
                                       .missing_code = "store-file-missing",
                                       .altered_code = "store-file-altered",
                                       .hive = driver->hive,
                                       .inf = driver->inf,
                                       .package = driver->package };
    V2V_AUTO(mem) char *file = NULL;
    V2V_AUTO(store) struct store store = { 0 };
    int found = find_file(v, driver, &file, err);

    if (found == 0) {
        question.in_use = file;
        found = store_check(v, &question, &store, err);
    }
    if (found <= 0)
        return found;
    if (path != NULL && store_compare_driver(v, &store, path, err) < 0)
        return -1;
    for (size_t i = 0; i < v->set_count; i++)
        if (v->sets[i].booted &&
            store_compare_bus_type(v, &store, &v->sets[i], driver->service,
                                   err) < 0)
            return -1;
    return 0;
}

static int
check_signature(struct verify *v, const struct driver *driver, const char *path,
                struct v2v_error *err)
{
    bool legacy = driver->hive == NULL;
    const struct verify_signature question = { .code = "driver-signature",
                                               .link = "driver-signature",
                                               .check_catalog = !legacy,
                                               .path = path,
                                               .inf = driver->inf };

    if (path == NULL)
        return verify_unknown(v, "driver-signature", driver->service, err,
                              "the service leads to no file");
    if (verify_fault(v, "driver-file", path) != NULL)
        return verify_unknown(v, "driver-signature", path, err,
                              "the file is not the driver: see driver-file");
    if (driver->inbox)
        return verify_unknown(v, "driver-signature", path, err,
                              "it came with Windows, whose own catalogs are "
                              "not looked through");
    return verify_signature(v, &question, err);
}

static int
check_driver(struct verify *v, const struct driver *driver,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = NULL;

    if (check_services(v, driver, &path, err) < 0 ||
        check_signature(v, driver, path, err) < 0)
        return -1;
    if (driver->inbox || driver->hive == NULL)
        return 0;
    return check_store(v, driver, path, err);
}

/* ---- the controller */

static const enum device_kind kinds[] = {
    [DOMAIN_CONTROLLER_VIRTIO_BLK] = DEVICE_VIRTIO_BLK,
    [DOMAIN_CONTROLLER_VIRTIO_SCSI] = DEVICE_VIRTIO_SCSI,
    [DOMAIN_CONTROLLER_SATA] = DEVICE_AHCI,
    [DOMAIN_CONTROLLER_IDE] = DEVICE_IDE,
    [DOMAIN_CONTROLLER_NVME] = DEVICE_NVME,
};

/* 1: there is something for this kind; 0; -1 */
static int
has_trace(struct verify *v, enum device_kind kind, struct v2v_error *err)
{
    V2V_AUTO(device_list) struct device_list devices = { 0 };

    if (device_list_make(kind, DOMAIN_VIRTIO_EITHER, &devices, err) < 0)
        return -1;
    for (size_t i = 0; i < devices.count; i++) {
        V2V_AUTO(mem) char *trace = NULL;

        if (device_trace(v, &devices.items[i], &trace, err) < 0)
            return -1;
        if (trace != NULL)
            return 1;
    }
    return 0;
}

/* Without a domain XML. */
static int
guess_kind(struct verify *v, enum device_kind *ret, struct v2v_error *err)
{
    int blk, scsi;

    *ret = DEVICE_VIRTIO_SCSI;
    if (v->in->virtio_scsi)
        return 0;
    blk = has_trace(v, DEVICE_VIRTIO_BLK, err);
    scsi = blk == 0 ? has_trace(v, DEVICE_VIRTIO_SCSI, err) : 0;
    if (blk != 0 || scsi <= 0)
        *ret = DEVICE_VIRTIO_BLK;
    return blk < 0 || scsi < 0 ? -1 : 0;
}

/* 1: @ret is what the boot disk is on; 0: it cannot be told, which is said */
static int
list_controllers(struct verify *v, struct device_list *ret,
                 struct v2v_error *err)
{
    const struct domain_machine *machine = v->in->machine;
    enum domain_virtio_ids ids = DOMAIN_VIRTIO_EITHER;
    enum device_kind kind;

    if (machine == NULL) {
        if (guess_kind(v, &kind, err) < 0)
            return -1;
    } else if (!machine->has_boot_disk) {
        return verify_unknown(v, "controller", "domain XML", err,
                              "the machine boots from no hard disk first");
    } else if (machine->controller == DOMAIN_CONTROLLER_OTHER) {
        return verify_unknown(v, "controller", machine->boot_disk, err,
                              "the domain XML has the boot disk on a "
                              "controller whose ids are not known here");
    } else {
        kind = kinds[machine->controller];
        ids = machine->controller_ids;
    }
    return device_list_make(kind, ids, ret, err) < 0 ? -1 : 1;
}

int
verify_controller(struct verify *v, struct v2v_error *err)
{
    V2V_AUTO(device_list) struct device_list devices = { 0 };
    V2V_AUTO(drivers) struct drivers drivers = { 0 };
    int found = list_controllers(v, &devices, err);

    if (found <= 0)
        return found;
    if (v->in->facts->has_driver_database)
        found = routes_by_database(v, &devices, &drivers, err);
    else if (v->set_count > 0)
        found = routes_by_critical_devices(v, &devices, &drivers, err);
    else
        found = verify_unknown(v, "controller", devices.items[0].name, err,
                               "no control set that is booted is known");
    if (found < 0)
        return -1;
    for (size_t i = 0; i < drivers.count; i++)
        if (check_driver(v, &drivers.items[i], err) < 0)
            return -1;
    return 0;
}
