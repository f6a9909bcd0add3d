/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/plan.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "plan/plan-private.h"

void
plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->package_count; i++) {
        free(plan->packages[i].oem_inf);
        free(plan->packages[i].name);
    }
    for (size_t i = 0; i < plan->file_count; i++)
        free(plan->files[i].path);
    free(plan->packages);
    free(plan->files);
    reg_edits_done(&plan->edits);
    *plan = (struct plan){ 0 };
}

static void
planning_done(struct planning *p)
{
    for (size_t i = 0; i < p->install_count; i++)
        inf_install_done(&p->installs[i]);
    free(p->installs);
    free(p->install_of_model);
}

static const struct plan_file *
find_file(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->file_count; i++)
        if (v2v_equal_nocase(plan->files[i].path, path))
            return &plan->files[i];
    return NULL;
}

static bool
is_same_content(const struct plan_file *planned, const struct driver_file *file)
{
    return planned->len == file->data.len &&
           (planned->len == 0 ||
            memcmp(planned->data, file->data.data, planned->len) == 0);
}

/* Several install sections, and several packages of one folder (pvpanic has
 * two), may copy the same file. */
int
plan_add_file(struct planning *p, const char *dir, const char *name,
              const struct driver_file *file, const char *why,
              struct v2v_error *err)
{
    V2V_AUTO(mem) char *path =
        v2v_format(err, "%s/%s%s%s", p->facts->system_root, dir,
                   *dir == '\0' ? "" : "/", name);
    const struct plan_file *twin;
    struct plan_file *files;

    if (path == NULL)
        return -1;
    v2v_replace_char(path, '\\', '/');
    twin = find_file(p->plan, path);
    if (twin != NULL && !is_same_content(twin, file))
        return v2v_refuse(err, V2V_ERR_DRIVER, "driver-conflict",
                          "%s: two different files would go there", path);
    if (twin != NULL)
        return 0;
    files =
        reallocarray(p->plan->files, p->plan->file_count + 1, sizeof *files);
    if (files == NULL)
        return v2v_fail_errno(err, errno, "plan");
    p->plan->files = files;
    files[p->plan->file_count++] = (struct plan_file){ .path = v2v_steal(path),
                                                       .data = file->data.data,
                                                       .len = file->data.len,
                                                       .why = why };
    return 0;
}

/* Source: names and places in hives of Windows 8.1 to 10 2004, and what DISM
 * was seen to write.  The catalog database in CatRoot2 is Windows' own. */
#define CATALOG_ROOT "System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"

static int
plan_store_files(struct planning *p, struct v2v_error *err)
{
    const struct driver_package *driver = p->driver;
    V2V_AUTO(mem) char *store = plan_dir(p, PLAN_DIRID_PACKAGE, err);
    V2V_AUTO(mem) char *catalog = v2v_format(
        err, "%.*s.cat", (int)(strlen(p->package->oem_inf) - strlen(".inf")),
        p->package->oem_inf);

    if (store == NULL || catalog == NULL)
        return -1;
    for (size_t i = 0; i < driver->file_count; i++)
        if (plan_add_file(p, store, driver->files[i].name, &driver->files[i],
                          "the package in the driver store", err) < 0)
            return -1;
    if (plan_add_file(p, "INF", p->package->oem_inf,
                      &driver->files[DRIVERS_INF_FILE],
                      "the INF under its published name", err) < 0)
        return -1;
    if (driver->catalog_index == SIZE_MAX)
        return 0;
    return plan_add_file(p, CATALOG_ROOT, catalog,
                         &driver->files[driver->catalog_index],
                         "the signed catalog, where the boot loader looks for "
                         "it",
                         err);
}

static const struct driver_file *
find_source(const struct driver_package *driver, const char *source)
{
    for (size_t i = 0; i < driver->file_count; i++)
        if (v2v_equal_nocase(driver->files[i].name, source))
            return &driver->files[i];
    return NULL;
}

/* Setup\PnpLockdownFiles: Class 4 when the INF says PnpLockdown=1, else 5
 * (seen with DISM on 13 drivers). */
static int
plan_lockdown(struct planning *p, const char *dir, const char *dest,
              const char *source, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(
        err,
        "Microsoft\\Windows\\CurrentVersion\\Setup\\PnpLockdownFiles\\"
        "%%SystemRoot%%/%s%s%s",
        dir, *dir == '\0' ? "" : "/", dest);
    V2V_AUTO(mem) char *store = plan_dir(p, PLAN_DIRID_PACKAGE, err);
    V2V_AUTO(mem) char *from =
        v2v_format(err, "%%SystemRoot%%\\%s\\%s", store, source);
    struct reg_place at = { &p->plan->edits, REG_SOFTWARE, key,
                            "the driver file and the package it comes from" };

    if (key == NULL || store == NULL || from == NULL)
        return -1;
    /* one key, whose name is the path */
    v2v_replace_char(strchr(key, '%'), '\\', '/');
    if (reg_dword(&at, "Class", p->driver->version.pnp_lockdown ? 4 : 5, err) <
            0 ||
        reg_string(&at, "Source", REG_EXPAND_SZ, from, err) < 0)
        return -1;
    return reg_strings(&at, REG_OP_APPEND, "Owners", &p->package->oem_inf, 1,
                       err);
}

static int
plan_copy(struct planning *p, const struct inf_copy *copy,
          struct v2v_error *err)
{
    const struct driver_file *file = find_source(p->driver, copy->source_path);
    V2V_AUTO(mem) char *base = NULL;
    V2V_AUTO(mem) char *dir = NULL;

    if (copy->dirid == PLAN_DIRID_PACKAGE)
        return 0; /* it is in the driver store already */
    if (file == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: %s is not in the package",
                        p->driver->inf_name, copy->source_path);
    base = plan_dir(p, copy->dirid, err);
    if (base == NULL)
        return -1;
    dir = v2v_format(err, "%s%s%s", base,
                     *base == '\0' || *copy->subdir == '\0' ? "" : "\\",
                     copy->subdir);
    if (dir == NULL ||
        plan_add_file(p, dir, copy->dest, file,
                      "the file where its service expects it", err) < 0)
        return -1;
    if (p->package->form == PLAN_DEVICE_PATH)
        return 0;
    return plan_lockdown(p, dir, copy->dest, file->name, err);
}

int
plan_copies(struct planning *p, struct v2v_error *err)
{
    for (size_t i = 0; i < p->install_count; i++)
        for (size_t j = 0; j < p->installs[i].copies.count; j++)
            if (plan_copy(p, &p->installs[i].copies.items[j], err) < 0)
                return -1;
    return 0;
}

static int
load_install(struct planning *p, size_t model, struct v2v_error *err)
{
    struct inf_install install = { 0 };
    struct inf_install *items;

    if (inf_install_load(p->driver->inf, p->driver->models.items[model].install,
                         &p->facts->target, &install, err) < 0) {
        if (err->code == V2V_ERR_NOT_FOUND)
            err->code = V2V_ERR_FORMAT;
        return -1;
    }
    for (size_t i = 0; i < p->install_count; i++) {
        if (!v2v_equal_nocase(p->installs[i].actual, install.actual))
            continue;
        p->install_of_model[model] = i;
        inf_install_done(&install);
        return 0;
    }
    items = reallocarray(p->installs, p->install_count + 1, sizeof *items);
    if (items == NULL) {
        inf_install_done(&install);
        return v2v_fail_errno(err, errno, "plan");
    }
    p->installs = items;
    p->install_of_model[model] = p->install_count;
    items[p->install_count++] = install;
    return 0;
}

static int
load_installs(struct planning *p, struct v2v_error *err)
{
    size_t count = p->driver->models.count;

    p->install_of_model = calloc(count, sizeof *p->install_of_model);
    if (p->install_of_model == NULL)
        return v2v_fail_errno(err, errno, "plan");
    for (size_t i = 0; i < count; i++)
        if (load_install(p, i, err) < 0)
            return -1;
    return 0;
}

static bool
has_boot_service(const struct planning *p)
{
    for (size_t i = 0; i < p->install_count; i++)
        for (size_t j = 0; j < p->installs[i].services.count; j++)
            if (p->installs[i].services.items[j].start == INF_START_BOOT &&
                plan_describes_service(&p->installs[i].services.items[j]))
                return true;
    return false;
}

/* What is not carried out offline is Windows' to do when it installs the
 * device; say so. */
static void
warn_of_ignored(const struct planning *p)
{
    for (size_t i = 0; i < p->install_count; i++) {
        const struct inf_install *install = &p->installs[i];

        if (install->delregs.count + install->hw_delregs.count +
                install->delete_services.count + install->filters.count >
            0)
            v2v_warn("plan", "inf-ignored",
                     "%s: DelReg, DelService and AddFilter of %s are left to "
                     "Windows' own installation",
                     p->driver->inf_name, install->actual);
    }
}

/* Classes that Windows keeps in the SYSTEM hive are those of devices that may
 * be needed before the DRIVERS hive is loaded; the hive at hand says which. */
static void
choose_form(struct planning *p)
{
    const char *class_guid = p->driver->version.class_guid;
    bool in_system =
        class_guid != NULL &&
        v2v_strings_has_nocase(&p->facts->system_classes, class_guid);

    if (p->package->presence == PLAN_NEW)
        p->package->hive = in_system ? REG_SYSTEM : REG_DRIVERS;
    p->package->form =
        p->package->hive == REG_SYSTEM ? PLAN_CONFIGURED : PLAN_STAGED;
}

static int
check_form(const struct planning *p, struct v2v_error *err)
{
    const char *name = p->driver->driver;

    if (p->driver->version.class_guid == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: [Version] has no ClassGuid",
                        p->driver->inf_name);
    if (p->package->boot && p->package->presence == PLAN_NEWER)
        return v2v_refuse(err, V2V_ERR_DRIVER, "driver-older",
                          "%s: the guest holds a newer one already (%s, %s): "
                          "take a newer medium",
                          name, p->package->oem_inf, p->package->name);
    if (p->package->boot && p->package->form == PLAN_STAGED)
        return v2v_refuse(err, V2V_ERR_DRIVER, "driver-class",
                          "%s: a boot driver whose class %s is not among those "
                          "that this Windows can boot from",
                          name, p->driver->version.class_guid);
    return 0;
}

static int
plan_one(struct planning *p, struct v2v_error *err)
{
    if (load_installs(p, err) < 0)
        return -1;
    p->package->boot = has_boot_service(p);
    if (!p->facts->has_driver_database)
        return plan_legacy(p, err);
    if (plan_identify(p, err) < 0)
        return -1;
    choose_form(p);
    if (check_form(p, err) < 0)
        return -1;
    if (p->package->presence == PLAN_NEWER) {
        v2v_warn("plan", "driver-newer",
                 "%s: the guest holds a newer one already (%s); it stays",
                 p->driver->driver, p->package->oem_inf);
        return 0;
    }
    if (plan_store_files(p, err) < 0 || plan_database(p, err) < 0)
        return -1;
    if (p->package->form != PLAN_CONFIGURED)
        return 0;
    warn_of_ignored(p);
    if (plan_copies(p, err) < 0)
        return -1;
    return plan_services(p, err);
}

/* The package's setup class decides, before anything is planned. */
static bool
has_node(const struct facts *facts, const struct driver_package *driver)
{
    if (!facts->has_driver_database || facts->has_drivers_hive ||
        driver->version.class_guid == NULL ||
        v2v_strings_has_nocase(&facts->system_classes,
                               driver->version.class_guid))
        return true;
    v2v_warn("plan", "no-drivers-hive",
             "%s is left out: the guest has no DRIVERS hive to register it in",
             driver->driver);
    return false;
}

static int
plan_package(const struct facts *facts, const struct driver_package *driver,
             uint64_t now, struct plan *plan, struct v2v_error *err)
{
    struct planning p = { .facts = facts,
                          .plan = plan,
                          .package = &plan->packages[plan->package_count],
                          .driver = driver,
                          .now = now };
    int result;

    *p.package = (struct plan_package){ .driver = driver };
    plan->package_count++;
    result = plan_one(&p, err);
    planning_done(&p);
    return result == 0 ? 0 : v2v_fail_in(err, "%s", driver->source);
}

int
plan_make(const struct facts *facts, const struct driver_package *packages,
          size_t count, uint64_t now, struct plan *ret, struct v2v_error *err)
{
    V2V_AUTO(plan) struct plan plan = { 0 };

    plan.packages = calloc(count > 0 ? count : 1, sizeof *plan.packages);
    if (plan.packages == NULL)
        return v2v_fail_errno(err, errno, "plan");
    for (size_t i = 0; i < count; i++)
        if (has_node(facts, &packages[i]) &&
            plan_package(facts, &packages[i], now, &plan, err) < 0)
            return -1;
    if (facts->has_driver_database
            ? plan_database_root(facts, now, &plan, err) < 0
            : plan_device_path(facts, &plan, err) < 0)
        return -1;
    if (facts->has_driver_database && plan_boot_chain(facts, &plan, err) < 0)
        return -1;
    *ret = plan;
    plan = (struct plan){ 0 };
    return 0;
}

const char *
plan_form_name(enum plan_form form)
{
    static const char *const names[] = { "configured", "staged",
                                         "device-path" };

    return names[form];
}

bool
plan_has_driver(const struct plan *plan, const char *driver)
{
    for (size_t i = 0; i < plan->package_count; i++)
        if (v2v_equal_nocase(plan->packages[i].driver->driver, driver))
            return true;
    return false;
}

bool
plan_has_boot_driver(const struct plan *plan)
{
    for (size_t i = 0; i < plan->package_count; i++)
        if (plan->packages[i].boot)
            return true;
    return false;
}

const char *
plan_presence_name(enum plan_presence presence)
{
    static const char *const names[] = { "new", "same", "newer" };

    return names[presence];
}

static int
print_package(const struct plan_package *package, struct v2v_bytes *out,
              struct v2v_error *err)
{
    if (package->form == PLAN_DEVICE_PATH)
        return v2v_bytes_printf(out, err, "package %s %s %s\n",
                                package->driver->driver, package->name,
                                plan_form_name(package->form));
    return v2v_bytes_printf(
        out, err, "package %s %s %s %s %s %s\n", package->driver->driver,
        plan_presence_name(package->presence), package->oem_inf, package->name,
        reg_hive_name(package->hive), plan_form_name(package->form));
}

int
plan_print(const struct plan *plan, struct v2v_bytes *out,
           struct v2v_error *err)
{
    for (size_t i = 0; i < plan->package_count; i++)
        if (print_package(&plan->packages[i], out, err) < 0)
            return -1;
    for (size_t i = 0; i < plan->file_count; i++)
        if (v2v_bytes_printf(out, err, "file %s %zu bytes\n",
                             plan->files[i].path, plan->files[i].len) < 0)
            return -1;
    for (size_t i = 0; i < plan->edits.count; i++)
        if (reg_edit_print(&plan->edits.items[i], out, err) < 0)
            return -1;
    return 0;
}
