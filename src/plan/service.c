/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services of a configured package, in every control set that can be booted,
 * and what would keep a boot driver from starting.
 *
 * Source, unless said otherwise: Services of Windows 8.1, 10 1709, 1909 and
 * 2004 hives; Microsoft, "INF AddService Directive". */
#include <string.h>

#include "base/log.h"
#include "plan/plan-private.h"

static const char service_why[] = "the driver's service, as its INF says";

/* The drivers between the loader and the system volume.  Windows stamps a
 * boot driver that found no device with StartOverride, which defeats Start=0
 * at the next boot; none of these was ever seen stamped, so this mends what
 * somebody else did. */
static const char *const boot_chain[] = {
    "acpi",    "pci",     "msisadrv", "vdrvroot", "partmgr",     "volmgr",
    "volmgrx", "volsnap", "mountmgr", "disk",     "EhStorClass", "spaceport",
};

/* Every boot-start ImagePath read begins with "System32\", that of another
 * driver with "\SystemRoot\", and nearly every program's with the variable. */
static const char *
image_prefix(const struct inf_service *service)
{
    static const uint32_t win32_types = 0x30; /* SERVICE_WIN32, winnt.h */

    if ((service->type & win32_types) != 0)
        return "%SystemRoot%";
    return service->start == INF_START_BOOT ? "" : "\\SystemRoot";
}

static int
plan_image_path(struct planning *p, const struct reg_place *at,
                const struct inf_service *service, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = NULL;
    struct plan_dirs dirs;

    if (*service->binary_raw == '\0')
        return 0;
    plan_dirs_init(&dirs, p, image_prefix(service));
    path = inf_expand(p->driver->inf, service->binary_raw, &dirs.dirs, err);
    if (path == NULL)
        return -1;
    return reg_string(at, "ImagePath", REG_EXPAND_SZ, path, err);
}

bool
plan_is_token(const char *raw)
{
    size_t len = strlen(raw);

    return len > 2 && raw[0] == '%' && raw[len - 1] == '%' &&
           strchr(raw + 1, '%') == raw + len - 1;
}

/* A text that Windows looks up in the INF: "@oem3.inf,%Token%;Text". */
static int
plan_indirect_string(struct planning *p, const struct reg_place *at,
                     const char *name, const char *raw, const char *text,
                     struct v2v_error *err)
{
    V2V_AUTO(mem) char *value = NULL;

    if (raw == NULL)
        return 0;
    if (!plan_is_token(raw) || *p->package->oem_inf == '\0')
        return reg_string(at, name, REG_SZ, text, err);
    value = v2v_format(err, "@%s,%s;%s", p->package->oem_inf, raw, text);
    return value == NULL ? -1 : reg_string(at, name, REG_SZ, value, err);
}

/* "+" marks a load order group among the services. */
static int
plan_dependencies(const struct reg_place *at, const struct inf_service *service,
                  bool groups, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings list = { 0 };

    for (size_t i = 0; i < service->dependencies.count; i++) {
        const char *item = service->dependencies.items[i];

        if ((*item == '+') == groups &&
            v2v_strings_add(&list, item + groups, err) < 0)
            return -1;
    }
    if (list.count == 0)
        return 0;
    return reg_strings(at, REG_OP_SET,
                       groups ? "DependOnGroup" : "DependOnService", list.items,
                       list.count, err);
}

static int
plan_service_values(struct planning *p, const struct reg_place *at,
                    const struct inf_service *service, struct v2v_error *err)
{
    if (reg_dword(at, "Type", service->type, err) < 0 ||
        reg_dword(at, "Start", service->start, err) < 0 ||
        reg_dword(at, "ErrorControl", service->error_control, err) < 0 ||
        plan_image_path(p, at, service, err) < 0 ||
        (service->group != NULL &&
         reg_string(at, "Group", REG_SZ, service->group, err) < 0) ||
        (service->start_name != NULL &&
         reg_string(at, "ObjectName", REG_SZ, service->start_name, err) < 0) ||
        plan_indirect_string(p, at, "DisplayName", service->display_name_raw,
                             service->display_name, err) < 0 ||
        plan_indirect_string(p, at, "Description", service->description_raw,
                             service->description, err) < 0 ||
        plan_dependencies(at, service, false, err) < 0 ||
        plan_dependencies(at, service, true, err) < 0)
        return -1;
    if (p->package->form == PLAN_DEVICE_PATH) /* Owners came with Windows 8 */
        return 0;
    return reg_strings(at, REG_OP_APPEND, "Owners", &p->package->oem_inf, 1,
                       err);
}

/* The framework loader reads which library version the driver was made for
 * here (read in the service key of a virtio driver on Windows 10). */
static int
plan_wdf(const struct reg_place *at, const struct inf_install *install,
         const struct inf_service *service, struct v2v_error *err)
{
    for (size_t i = 0; i < install->wdfs.count; i++) {
        const struct inf_wdf *wdf = &install->wdfs.items[i];
        V2V_AUTO(mem) char *key = NULL;
        struct reg_place place = *at;

        if (wdf->kmdf_version == NULL ||
            !v2v_equal_nocase(wdf->service, service->name))
            continue;
        key = v2v_format(err, "%s\\Parameters\\Wdf", at->key);
        place.key = key;
        if (key == NULL || reg_string(&place, "KmdfLibraryVersion", REG_SZ,
                                      wdf->kmdf_version, err) < 0)
            return -1;
    }
    return 0;
}

static int
plan_event_log(struct planning *p, const char *services,
               const struct inf_service *service, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = NULL;
    struct reg_place at = { &p->plan->edits, REG_SYSTEM, NULL,
                            "where the driver's events find their texts" };

    if (service->event_log == NULL)
        return 0;
    key = v2v_format(err, "%s\\EventLog\\%s\\%s", services, service->event_log,
                     service->event_name);
    at.key = key;
    return key == NULL
               ? -1
               : plan_addregs(p, &at, &service->event_addregs, false, err);
}

static int
plan_no_override(struct plan *plan, const char *control_set,
                 const char *service, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Services\\%s\\StartOverride",
                                         control_set, service);
    struct reg_place at = { &plan->edits, REG_SYSTEM, key,
                            "an override would keep the boot driver from "
                            "starting (0x7B)" };

    return key == NULL ? -1 : reg_delete(&at, err);
}

static int
plan_service(struct planning *p, const char *control_set,
             const struct inf_install *install,
             const struct inf_service *service, struct v2v_error *err)
{
    V2V_AUTO(mem) char *services = v2v_format(err, "%s\\Services", control_set);
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Services\\%s", control_set, service->name);
    struct reg_place at = { &p->plan->edits, REG_SYSTEM, key, service_why };

    if (services == NULL || key == NULL ||
        plan_service_values(p, &at, service, err) < 0 ||
        plan_addregs(p, &at, &service->addregs, false, err) < 0 ||
        plan_wdf(&at, install, service, err) < 0)
        return -1;
    if (service->start == INF_START_BOOT &&
        plan_no_override(p->plan, control_set, service->name, err) < 0)
        return -1;
    return plan_event_log(p, services, service, err);
}

static int
plan_control_set(struct planning *p, const char *control_set,
                 const struct inf_install *install, struct v2v_error *err)
{
    for (size_t i = 0; i < install->services.count; i++)
        if (plan_describes_service(&install->services.items[i]) &&
            plan_service(p, control_set, install, &install->services.items[i],
                         err) < 0)
            return -1;
    return 0;
}

int
plan_services(struct planning *p, struct v2v_error *err)
{
    for (size_t i = 0; i < p->install_count; i++)
        for (size_t j = 0; j < p->facts->control_set_count; j++)
            if (plan_control_set(p, p->facts->control_sets[j].name,
                                 &p->installs[i], err) < 0)
                return -1;
    return 0;
}

int
plan_boot_chain(const struct facts *facts, struct plan *plan,
                struct v2v_error *err)
{
    bool boots = false;

    for (size_t i = 0; i < plan->package_count; i++)
        boots |= plan->packages[i].boot;
    for (size_t i = 0; boots && i < facts->control_set_count; i++)
        for (size_t j = 0; j < sizeof boot_chain / sizeof *boot_chain; j++)
            if (plan_no_override(plan, facts->control_sets[i].name,
                                 boot_chain[j], err) < 0)
                return -1;
    return 0;
}
