/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver database: DriverInfFiles, DriverPackages, DeviceIds.
 *
 * Source, unless said otherwise: DriverDatabase of Windows 8.1, 10 1709, 1909
 * and 2004 hives, and what DISM was seen to write on Windows 11. */
#include <stdio.h>
#include <string.h>

#include "plan/plan-private.h"

/* Builds at which Windows began to write a value.  ImportDate and ConfigScope
 * were read in a 1709 hive and not in one of 8.1.  Catalog was read from 1903
 * on, FileSize on Windows 11 and in one capture of 10; both are harmless
 * before, and a 1709 hive that was compared with a capture should not differ:
 * so they are written for all of Windows 10. */
enum { BUILD_10 = 10240, BUILD_1709 = 16299 };

/* Read as 0x12 on nearly every added package; the bits are not documented. */
static const uint32_t status_flags = 0x12;

/* Bits of ConfigScope, by the sections that configurations with it had. */
enum {
    SCOPE_ALWAYS = 0x1,
    SCOPE_DEVICE = 0x2, /* there is a Device key */
    SCOPE_SERVICE = 0x4,
    SCOPE_WDF = 0x100
};

/* The first of the four bytes of a DeviceIds value: where on a models line the
 * id stands. */
enum { ID_HARDWARE = 1, ID_COMPATIBLE = 2 };

static const struct inf_install *
install_of(const struct planning *p, size_t model)
{
    return &p->installs[p->install_of_model[model]];
}

/* A package that Windows registered itself is completed, not overwritten. */
static void
complete_only(struct reg_edits *edits, size_t first)
{
    for (size_t i = first; i < edits->count; i++)
        edits->items[i].op = REG_OP_DEFAULT;
}

static int
plan_inf_file(struct planning *p, struct v2v_error *err)
{
    struct plan_package *package = p->package;
    V2V_AUTO(mem) char *key =
        v2v_format(err, "DriverDatabase\\DriverInfFiles\\%s", package->oem_inf);
    V2V_AUTO(strings) struct v2v_strings sections = { 0 };
    size_t first = p->plan->edits.count;
    struct reg_place at = { &p->plan->edits, package->hive, key,
                            "the INF and the package that is active for it" };

    if (key == NULL ||
        reg_strings(&at, REG_OP_SET, "", &package->name, 1, err) < 0 ||
        reg_string(&at, "Active", REG_SZ, package->name, err) < 0)
        return -1;
    if (package->presence == PLAN_SAME)
        complete_only(&p->plan->edits, first);
    if (package->form != PLAN_CONFIGURED)
        return 0;
    for (size_t i = 0; i < p->install_count; i++)
        if (v2v_strings_add(&sections, p->installs[i].actual, err) < 0)
            return -1;
    return reg_strings(&at, REG_OP_SET, "Configurations", sections.items,
                       sections.count, err);
}

static int
add_filetime(const struct reg_place *at, enum reg_op op, const char *name,
             uint64_t time, struct v2v_error *err)
{
    uint8_t le[8];

    v2v_put_le(le, time, sizeof le);
    return reg_value(at, op, name, REG_BINARY, le, sizeof le, err);
}

static uint64_t
package_size(const struct driver_package *driver)
{
    uint64_t size = 0;

    for (size_t i = 0; i < driver->file_count; i++)
        size += driver->files[i].data.len;
    return size;
}

/* Where the package came from: the medium as a CD-ROM drive would show it. */
static char *
oem_path(const struct driver_package *driver, struct v2v_error *err)
{
    char *path = v2v_format(err, "D:\\%s", driver->source);

    if (path != NULL)
        v2v_replace_char(path, '/', '\\');
    return path;
}

static int
plan_signer(const struct planning *p, const struct reg_place *at,
            struct v2v_error *err)
{
    const struct driver_package *driver = p->driver;

    if (driver->catalog.signer.name != NULL &&
        reg_string(at, "SignerName", REG_SZ, driver->catalog.signer.name, err) <
            0)
        return -1;
    if (driver->catalog_index != SIZE_MAX &&
        p->facts->target.build >= BUILD_10 &&
        reg_string(at, "Catalog", REG_SZ, driver->version.catalog, err) < 0)
        return -1;
    return reg_dword(at, "SignerScore", driver->signer_score, err);
}

static int
plan_package_values(struct planning *p, const char *key, struct v2v_error *err)
{
    const struct driver_package *driver = p->driver;
    struct reg_place at = { &p->plan->edits, p->package->hive, key,
                            "the package as the driver store knows it" };
    V2V_AUTO(mem) char *path = oem_path(driver, err);
    size_t first = p->plan->edits.count;
    uint8_t version[FACTS_VERSION_LEN];

    plan_version(driver, p->facts->target.arch, version);
    if (path == NULL ||
        reg_string(&at, "", REG_SZ, p->package->oem_inf, err) < 0 ||
        reg_value(&at, REG_OP_SET, "Version", REG_BINARY, version,
                  sizeof version, err) < 0 ||
        reg_string(&at, "InfName", REG_SZ, driver->inf_name, err) < 0 ||
        reg_dword(&at, "StatusFlags", status_flags, err) < 0 ||
        plan_signer(p, &at, err) < 0)
        return -1;
    if (driver->version.provider != NULL &&
        reg_string(&at, "Provider", REG_SZ, driver->version.provider, err) < 0)
        return -1;
    if (reg_string(&at, "OemPath", REG_SZ, path, err) < 0)
        return -1;
    if (p->facts->target.build >= BUILD_10 &&
        reg_qword(&at, "FileSize", package_size(driver), err) < 0)
        return -1;
    if (p->facts->target.build >= BUILD_1709 &&
        add_filetime(&at, REG_OP_SET, "ImportDate", p->now, err) < 0)
        return -1;
    if (p->package->presence == PLAN_SAME)
        complete_only(&p->plan->edits, first);
    return 0;
}

const struct inf_service *
plan_function_driver(const struct inf_install *install)
{
    for (size_t i = 0; i < install->services.count; i++)
        if ((install->services.items[i].flags & INF_SERVICE_ASSOC) != 0 &&
            *install->services.items[i].name != '\0')
            return &install->services.items[i];
    return NULL;
}

static int
plan_configured_services(struct planning *p, const struct reg_place *at,
                         const struct inf_install *install,
                         struct v2v_error *err)
{
    for (size_t i = 0; i < install->services.count; i++) {
        const struct inf_service *service = &install->services.items[i];
        V2V_AUTO(mem) char *key =
            v2v_format(err, "%s\\Services\\%s", at->key, service->name);
        struct reg_place place = { at->edits, at->hive, key, at->why };

        if (key == NULL ||
            plan_addregs(p, &place, &service->addregs, true, err) < 0)
            return -1;
    }
    return 0;
}

/* Values that a configuration has only where its INF says so. */
static int
plan_rare_values(const struct reg_place *at, const struct inf_install *install,
                 struct v2v_error *err)
{
    const struct {
        const char *name;
        const struct v2v_strings *list;
    } lists[] = {
        { "IncludedInfs", &install->includes },
        { "ExcludeIds", &install->exclude_ids },
    };

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i].list->count > 0 &&
            reg_strings(at, REG_OP_SET, lists[i].name, lists[i].list->items,
                        lists[i].list->count, err) < 0)
            return -1;
    return install->reboot ? reg_dword(at, "Reboot", 1, err) : 0;
}

static int
plan_configuration(struct planning *p, const char *package_key,
                   const struct inf_install *install, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Configurations\\%s", package_key, install->actual);
    V2V_AUTO(mem) char *driver_key = v2v_format(err, "%s\\Driver", key);
    const char *why = "what the kernel sets up when it meets the device, "
                      "before any installation";
    struct reg_place at = { &p->plan->edits, p->package->hive, key, why };
    struct reg_place driver = { at.edits, at.hive, driver_key, why };
    const struct inf_service *service = plan_function_driver(install);
    uint32_t scope = SCOPE_ALWAYS;
    bool has_device = false;

    if (key == NULL || driver_key == NULL ||
        reg_dword(&at, "ConfigFlags", 0, err) < 0 ||
        (service != NULL &&
         reg_string(&at, "Service", REG_SZ, service->name, err) < 0) ||
        plan_rare_values(&at, install, err) < 0 ||
        plan_hw_addregs(p, &at, &install->hw_addregs, &has_device, err) < 0 ||
        plan_addregs(p, &driver, &install->addregs, true, err) < 0 ||
        plan_configured_services(p, &at, install, err) < 0)
        return -1;
    scope |= has_device ? SCOPE_DEVICE : 0;
    scope |= service != NULL ? SCOPE_SERVICE : 0;
    scope |= install->has_wdf_section ? SCOPE_WDF : 0;
    if (p->facts->target.build < BUILD_1709)
        return 0;
    return reg_dword(&at, "ConfigScope", scope, err);
}

/* The tokens that Descriptors use, whose texts go to Strings once. */
struct descriptions {
    char *strings_key;
    struct v2v_strings tokens;
};

static void
v2v_auto_descriptions(struct descriptions *d)
{
    free(d->strings_key);
    v2v_strings_done(&d->tokens);
}

/* "%VirtioSerial.DeviceDesc%" is kept as a token, in lower case, with its text
 * in Strings; anything else is kept as text. */
static int
plan_described(const struct reg_place *at, struct descriptions *d,
               const char *name, const char *raw, const char *text,
               struct v2v_error *err)
{
    V2V_AUTO(mem) char *token = NULL;
    V2V_AUTO(mem) char *bare = NULL;
    struct reg_place strings = { at->edits, at->hive, d->strings_key, at->why };

    if (!plan_is_token(raw))
        return reg_string(at, name, REG_SZ, text, err);
    token = v2v_strdup(raw, err);
    bare = v2v_strndup(raw + 1, strlen(raw) - 2, err);
    if (token == NULL || bare == NULL)
        return -1;
    v2v_lower(token);
    v2v_lower(bare);
    if (reg_string(at, name, REG_SZ, token, err) < 0)
        return -1;
    if (v2v_strings_has_nocase(&d->tokens, bare))
        return 0;
    if (v2v_strings_add(&d->tokens, bare, err) < 0)
        return -1;
    return reg_string(&strings, bare, REG_SZ, text, err);
}

static int
plan_descriptor(struct planning *p, const char *package_key, const char *id,
                size_t model, struct descriptions *d, struct v2v_error *err)
{
    const struct inf_model *m = &p->driver->models.items[model];
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Descriptors\\%s", package_key, id);
    struct reg_place at = { &p->plan->edits, p->package->hive, key,
                            "which configuration serves the device id" };

    if (key == NULL ||
        reg_string(&at, "Configuration", REG_SZ, install_of(p, model)->actual,
                   err) < 0 ||
        plan_described(&at, d, "Description", m->description_raw,
                       m->description, err) < 0)
        return -1;
    return plan_described(&at, d, "Manufacturer", m->manufacturer_raw,
                          m->manufacturer, err);
}

static int
add_device_id(struct device_ids *ids, const struct device_id *id,
              struct v2v_error *err)
{
    struct device_id *items;

    for (size_t i = 0; i < ids->count; i++) {
        if (!v2v_equal_nocase(ids->items[i].id, id->id))
            continue;
        ids->items[i].where |= id->where;
        return 0;
    }
    items = reallocarray(ids->items, ids->count + 1, sizeof *items);
    if (items == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    ids->items = items;
    items[ids->count++] = *id;
    return 0;
}

int
plan_device_ids(const struct planning *p, struct device_ids *ids,
                struct v2v_error *err)
{
    for (size_t i = 0; i < p->driver->models.count; i++) {
        const struct inf_model *m = &p->driver->models.items[i];
        struct device_id id = { .id = m->hardware_id,
                                .model = i,
                                .where = ID_HARDWARE,
                                .score = install_of(p, i)->feature_score };

        if (*m->hardware_id != '\0' && add_device_id(ids, &id, err) < 0)
            return -1;
        id.where = ID_COMPATIBLE;
        for (size_t j = 0; j < m->compatible_ids.count; j++) {
            id.id = m->compatible_ids.items[j];
            id.index = (uint16_t)j;
            if (*id.id != '\0' && add_device_id(ids, &id, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int
plan_device_id(struct planning *p, const struct device_id *id,
               struct v2v_error *err)
{
    V2V_AUTO(mem) char *key =
        v2v_format(err, "DriverDatabase\\DeviceIds\\%s", id->id);
    struct reg_place at = { &p->plan->edits, p->package->hive, key,
                            "the INF that serves the device id" };
    uint8_t rank[4] = { id->where, id->score, (uint8_t)id->index,
                        (uint8_t)(id->index >> 8) };

    if (key == NULL)
        return -1;
    return reg_value(&at, REG_OP_SET, p->package->oem_inf, REG_BINARY, rank,
                     sizeof rank, err);
}

static int
plan_class_index(struct planning *p, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err, "DriverDatabase\\DeviceIds\\%s",
                                         p->driver->version.class_guid);
    struct reg_place at = { &p->plan->edits, p->package->hive, key,
                            "the INFs of a setup class" };

    if (key == NULL)
        return -1;
    v2v_lower(key + strlen("DriverDatabase\\DeviceIds\\"));
    return reg_value(&at, REG_OP_SET, p->package->oem_inf, REG_NONE, NULL, 0,
                     err);
}

static int
plan_configured(struct planning *p, const char *package_key,
                const struct device_ids *ids, struct v2v_error *err)
{
    V2V_AUTO(descriptions) struct descriptions d = {
        .strings_key = v2v_format(err, "%s\\Strings", package_key)
    };

    if (d.strings_key == NULL)
        return -1;
    for (size_t i = 0; i < p->install_count; i++)
        if (plan_configuration(p, package_key, &p->installs[i], err) < 0)
            return -1;
    for (size_t i = 0; i < ids->count; i++)
        if (plan_descriptor(p, package_key, ids->items[i].id,
                            ids->items[i].model, &d, err) < 0)
            return -1;
    return 0;
}

int
plan_database(struct planning *p, struct v2v_error *err)
{
    V2V_AUTO(device_ids) struct device_ids ids = { 0 };
    V2V_AUTO(mem) char *key =
        v2v_format(err, "DriverDatabase\\DriverPackages\\%s", p->package->name);

    if (key == NULL || plan_device_ids(p, &ids, err) < 0 ||
        plan_inf_file(p, err) < 0 || plan_package_values(p, key, err) < 0)
        return -1;
    if (p->package->form == PLAN_CONFIGURED &&
        plan_configured(p, key, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++)
        if (plan_device_id(p, &ids.items[i], err) < 0)
            return -1;
    return plan_class_index(p, err);
}

/* One bit for each oemN.inf of both nodes, the highest bit of the first byte
 * for oem0.inf; as long as the highest N needs. */
static int
plan_oem_inf_map(const struct facts *facts, const struct plan *plan,
                 struct reg_edits *edits, struct v2v_error *err)
{
    struct reg_place at = { edits, REG_SYSTEM, "DriverDatabase",
                            "which oemN.inf are taken, in both nodes" };
    V2V_AUTO(bytes) struct v2v_bytes map = { 0 };

    if (v2v_bytes_add(&map, facts->oem_inf_map.data, facts->oem_inf_map.len,
                      err) < 0)
        return -1;
    for (size_t i = 0; i < plan->package_count; i++) {
        unsigned n = (unsigned)facts_oem_number(plan->packages[i].oem_inf);

        while (map.len <= n / 8)
            if (v2v_bytes_add(&map, "", 1, err) < 0)
                return -1;
        map.data[n / 8] |= (uint8_t)(0x80 >> n % 8);
    }
    return reg_value(&at, REG_OP_SET, "OemInfMap", REG_BINARY, map.data,
                     map.len, err);
}

int
plan_database_root(const struct facts *facts, uint64_t now, struct plan *plan,
                   struct v2v_error *err)
{
    static const enum reg_hive_id nodes[] = { REG_SYSTEM, REG_DRIVERS };

    if (plan_oem_inf_map(facts, plan, &plan->edits, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        struct reg_place at = { &plan->edits, nodes[i], "DriverDatabase",
                                "when the driver database last changed" };

        if (facts->has_update_date[nodes[i]] &&
            add_filetime(&at, REG_OP_STAMP, "UpdateDate", now, err) < 0)
            return -1;
    }
    return 0;
}
