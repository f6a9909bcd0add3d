/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "verify/files.h"

/* Ours: a package that has more is not looked at to its end. */
enum { MODELS_MAX = 256, FILES_MAX = 1024 };

int
verify_read(struct verify *v, const char *path, struct v2v_bytes *ret,
            struct v2v_error *why, struct v2v_error *err)
{
    if (guest_read(v->in->guest, path, VERIFY_FILE_MAX, ret, why) == 0)
        return 1;
    if (why->code == V2V_ERR_NOT_FOUND || why->code == V2V_ERR_GUEST)
        return 0;
    return v2v_fail(err, why->code, "%s", why->text);
}

void
store_done(struct store *store)
{
    v2v_strings_done(&store->needed);
    inf_models_done(&store->models);
    inf_version_done(&store->version);
    inf_free(store->inf);
    v2v_bytes_done(&store->text);
    free(store->inf_name);
    free(store->folder);
    *store = (struct store){ 0 };
}

char *
store_folder(const struct verify *v, const char *package, struct v2v_error *err)
{
    if (*package == '\0' || strpbrk(package, "\\/:") != NULL ||
        strcmp(package, ".") == 0 || strcmp(package, "..") == 0) {
        (void)v2v_fail(err, V2V_ERR_FORMAT, "%s: no file name", package);
        return NULL;
    }
    return v2v_format(err, "%s/System32/DriverStore/FileRepository/%s",
                      v->in->facts->system_root, package);
}

/* ---- the INF and what it needs */

static int
add_copies(struct store *s, const struct inf_copies *copies,
           struct v2v_error *err)
{
    for (size_t i = 0; i < copies->count; i++) {
        const char *path = copies->items[i].source_path;

        if (v2v_strings_has_nocase(&s->needed, path))
            continue;
        if (s->needed.count == FILES_MAX)
            return v2v_fail(err, V2V_ERR_FORMAT, "more than %d files",
                            FILES_MAX);
        if (v2v_strings_add(&s->needed, path, err) < 0)
            return -1;
    }
    return 0;
}

static int
list_needed(struct store *s, const struct inf_target *target,
            struct v2v_error *err)
{
    if (s->models.count > MODELS_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d models", MODELS_MAX);
    for (size_t i = 0; i < s->models.count; i++) {
        V2V_AUTO(inf_install) struct inf_install install = { 0 };
        const char *name = s->models.items[i].install;

        if (i > 0 && v2v_equal_nocase(name, s->models.items[i - 1].install))
            continue;
        if (inf_install_load(s->inf, name, target, &install, err) < 0 ||
            add_copies(s, &install.copies, err) < 0 ||
            add_copies(s, &install.coinstaller_copies, err) < 0 ||
            add_copies(s, &install.interface_copies, err) < 0)
            return -1;
    }
    return 0;
}

static int
parse(struct store *s, const struct inf_target *target, struct v2v_error *err)
{
    if (inf_parse(s->text.data, s->text.len, &s->inf, err) < 0 ||
        inf_version_parse(s->inf, target->arch, &s->version, err) < 0 ||
        inf_models_select(s->inf, target, &s->models, err) < 0)
        return -1;
    return list_needed(s, target, err);
}

int
store_read(struct verify *v, const char *folder, const char *inf_name,
           struct store *ret, struct v2v_error *why, struct v2v_error *err)
{
    V2V_AUTO(store) struct store s = { 0 };
    V2V_AUTO(mem) char *path = v2v_format(err, "%s/%s", folder, inf_name);
    int found;

    s.folder = v2v_strdup(folder, err);
    s.inf_name = v2v_strdup(inf_name, err);
    if (path == NULL || s.folder == NULL || s.inf_name == NULL)
        return -1;
    found = verify_read(v, path, &s.text, why, err);
    if (found <= 0)
        return found;
    if (parse(&s, &v->in->facts->target, why) < 0) {
        if (why->code == V2V_ERR_INTERNAL)
            return v2v_fail(err, why->code, "%s", why->text);
        (void)v2v_fail_in(why, "%s", inf_name);
        return 0;
    }
    *ret = s;
    s = (struct store){ 0 };
    return 1;
}

bool
store_has_id(const struct store *store, const char *id)
{
    for (size_t i = 0; i < store->models.count; i++) {
        const struct inf_model *m = &store->models.items[i];

        if (v2v_equal_nocase(m->hardware_id, id) ||
            v2v_strings_has_nocase(&m->compatible_ids, id))
            return true;
    }
    return false;
}

const char *
store_serves(const struct store *store, const struct device *device)
{
    for (size_t i = 0; i < device->ids.count; i++)
        if (store_has_id(store, device->ids.items[i]))
            return device->ids.items[i];
    return NULL;
}

/* ---- the files of a package */

/* "viostor.inf" of the package: InfName, which Windows' own packages lack;
 * else the package's name up to there. */
static char *
inf_name_of(const struct store_question *q, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "DriverDatabase\\DriverPackages\\%s", q->package);
    char *name = NULL;
    const char *end;
    struct v2v_error why;

    if (key == NULL)
        return NULL;
    if (reg_get_string(q->hive, key, "InfName", &name, &why) == 0 &&
        *name != '\0' && strpbrk(name, "\\/:") == NULL)
        return name;
    free(name);
    end = strstr(q->package, ".inf_");
    return end == NULL
               ? v2v_strdup(q->inf, err)
               : v2v_strndup(q->package,
                             (size_t)(end - q->package) + strlen(".inf"), err);
}

/* What is wrong with some files, as text. */
struct faults {
    struct v2v_bytes missing, altered;
};

static void
v2v_auto_faults(struct faults *f)
{
    v2v_bytes_done(&f->missing);
    v2v_bytes_done(&f->altered);
}

static int
add_fault(struct v2v_bytes *list, const char *name, const char *what,
          struct v2v_error *err)
{
    return v2v_bytes_list(list, err, "%s%s%s", name, *what != '\0' ? " " : "",
                          what);
}

static int
check_file(const struct catalog *catalog, const char *name,
           const struct v2v_bytes *data, struct faults *faults,
           struct v2v_error *err)
{
    const struct catalog_file file = { v2v_base_name(name), data->data,
                                       data->len };
    enum catalog_match match;

    if (catalog == NULL)
        return 0;
    if (catalog_check_files(catalog, &file, 1, &match, err) < 0)
        return -1;
    return match == CATALOG_MATCH ? 0
                                  : add_fault(&faults->altered, name,
                                              catalog_match_text(match), err);
}

/* The one that runs is verify_service()'s and verify_signature()'s business. */
static int
check_needed(struct verify *v, const struct store_question *q,
             const struct store *s, const struct catalog *catalog,
             struct faults *faults, struct v2v_error *err)
{
    for (size_t i = 0; i < s->needed.count; i++) {
        const char *name = s->needed.items[i];
        V2V_AUTO(mem) char *path = v2v_format(err, "%s/%s", s->folder, name);
        V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
        struct v2v_error why;
        int found;

        if (path == NULL)
            return -1;
        if (q->in_use != NULL && v2v_equal_nocase(path, q->in_use))
            continue;
        found = verify_read(v, path, &data, &why, err);
        if (found < 0 ||
            (found == 0 && add_fault(&faults->missing, name, "", err) < 0) ||
            (found > 0 && check_file(catalog, name, &data, faults, err) < 0))
            return -1;
    }
    return 0;
}

/* 1: @ret is the package's catalog; 0: there is none that counts, which is
 * said; -1.  Plug and Play takes the package for unsigned then, but looked at
 * its signature when the package was added, and a driver may have its own. */
static int
read_catalog(struct verify *v, const struct store *s, struct catalog *ret,
             struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    V2V_AUTO(mem) char *path = NULL;
    struct v2v_error why;
    int found;

    if (s->version.catalog == NULL)
        return verify_found(v, "package-unsigned", s->folder, err,
                            "%s names no catalog", s->inf_name);
    path = v2v_format(err, "%s/%s", s->folder, s->version.catalog);
    if (path == NULL)
        return -1;
    found = verify_read(v, path, &data, &why, err);
    if (found < 0)
        return -1;
    if (found == 0 || catalog_parse(data.data, data.len, ret, &why) < 0)
        return why.code == V2V_ERR_INTERNAL
                   ? v2v_fail(err, why.code, "%s", why.text)
                   : verify_found(v, "package-unsigned", path, err, "%s",
                                  why.text);
    return verify_holds(v, "package-catalog", path, err, "it is signed by %s",
                        ret->signer.name) < 0
               ? -1
               : 1;
}

static int
check_files(struct verify *v, const struct store_question *q, struct store *s,
            struct v2v_error *err)
{
    V2V_AUTO(faults) struct faults faults = { 0 };
    V2V_AUTO(catalog) struct catalog catalog = { 0 };
    int found = read_catalog(v, s, &catalog, err);
    const struct catalog *signed_by = found > 0 ? &catalog : NULL;

    if (found < 0 ||
        check_file(signed_by, s->inf_name, &s->text, &faults, err) < 0 ||
        check_needed(v, q, s, signed_by, &faults, err) < 0)
        return -1;
    if (faults.missing.len > 0 &&
        verify_found(v, q->missing_code, s->folder, err, "not there: %.*s",
                     (int)faults.missing.len,
                     (const char *)faults.missing.data) < 0)
        return -1;
    if (faults.altered.len > 0 &&
        verify_found(v, q->altered_code, s->folder, err, "%.*s",
                     (int)faults.altered.len,
                     (const char *)faults.altered.data) < 0)
        return -1;
    s->sound = faults.missing.len == 0 && faults.altered.len == 0;
    if (!s->sound)
        return 0;
    return verify_holds(v, q->files_link, s->folder, err,
                        "%s and the %zu files that it copies are there%s",
                        s->inf_name, s->needed.count,
                        signed_by != NULL ? ", as the catalog lists them"
                                          : "; no catalog tells whether they "
                                            "are as they were");
}

/* Windows\INF\oemN.inf is a copy of the package's. */
static int
check_copy(struct verify *v, const struct store_question *q,
           const struct store *s, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes copy = { 0 };
    V2V_AUTO(mem) char *path = NULL;
    struct v2v_error why;
    int found;

    if (facts_oem_number(q->inf) < 0)
        return 0;
    path = v2v_format(err, "%s/INF/%s", v->in->facts->system_root, q->inf);
    if (path == NULL)
        return -1;
    found = verify_read(v, path, &copy, &why, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return verify_found(v, "inf-copy-differs", path, err, "%s", why.text);
    if (copy.len != s->text.len ||
        memcmp(copy.data, s->text.data, copy.len) != 0)
        return verify_found(v, "inf-copy-differs", path, err,
                            "it is another one than %s/%s", s->folder,
                            s->inf_name);
    return verify_holds(v, "inf-copy", path, err, "it is the package's %s",
                        s->inf_name);
}

static int
find_folder(struct verify *v, const struct store_question *q,
            const char *folder, struct v2v_error *err)
{
    struct guest_stat stat;
    struct v2v_error why;

    if (guest_stat(v->in->guest, folder, &stat, &why) < 0) {
        if (why.code != V2V_ERR_GUEST && why.code != V2V_ERR_NOT_FOUND)
            return v2v_fail(err, why.code, "%s", why.text);
        stat.is_dir = false;
    }
    if (!stat.is_dir && q->in_use != NULL &&
        v2v_has_prefix_nocase(q->in_use, folder))
        return verify_unknown(v, q->folder_link, folder, err,
                              "the driver runs from there: see service-image");
    if (!stat.is_dir)
        return verify_found(v, q->folder_code, folder, err,
                            "the package %s is registered, and the driver "
                            "store does not have it",
                            q->package);
    return verify_holds(v, q->folder_link, folder, err,
                        "the driver store has the package") < 0
               ? -1
               : 1;
}

int
store_check(struct verify *v, const struct store_question *q, struct store *ret,
            struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = inf_name_of(q, err);
    V2V_AUTO(mem) char *folder = NULL;
    struct v2v_error why = { 0 };
    int found;

    if (name == NULL)
        return -1;
    folder = store_folder(v, q->package, &why);
    if (folder == NULL)
        return why.code == V2V_ERR_FORMAT
                   ? verify_found(v, q->folder_code, q->package, err, "%s",
                                  why.text)
                   : v2v_fail(err, why.code, "%s", why.text);
    found = find_folder(v, q, folder, err);
    if (found <= 0)
        return found;
    found = store_read(v, folder, name, ret, &why, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return verify_found(v,
                            why.code == V2V_ERR_NOT_FOUND ? q->missing_code
                                                          : q->altered_code,
                            folder, err, "%s: %s", name, why.text);
    if (check_files(v, q, ret, err) < 0 || check_copy(v, q, ret, err) < 0)
        return -1;
    return 1;
}

/* ---- what is in use, against the store */

int
store_compare_driver(struct verify *v, const struct store *s,
                     const char *driver, struct v2v_error *err)
{
    if (!s->sound || verify_fault(v, "driver-file", driver) != NULL ||
        verify_fault(v, "driver-signature", driver) != NULL)
        return 0; /* that they differ has a cause that is told already */
    for (size_t i = 0; i < s->needed.count; i++) {
        const char *name = s->needed.items[i];
        V2V_AUTO(mem) char *path = v2v_format(err, "%s/%s", s->folder, name);
        V2V_AUTO(bytes) struct v2v_bytes ours = { 0 }, theirs = { 0 };
        struct v2v_error why;
        int found;

        if (path == NULL)
            return -1;
        if (!v2v_equal_nocase(v2v_base_name(name), v2v_base_name(driver)) ||
            v2v_equal_nocase(path, driver))
            continue;
        found = verify_read(v, driver, &ours, &why, err);
        if (found > 0)
            found = verify_read(v, path, &theirs, &why, err);
        if (found <= 0)
            return found;
        if (ours.len == theirs.len &&
            memcmp(ours.data, theirs.data, ours.len) == 0)
            return verify_holds(v, "driver-copy", driver, err,
                                "it is the package's");
        return verify_found(v, "driver-copy-differs", driver, err,
                            "it is another one than %s", path);
    }
    return 0;
}

/* 1: @ret is the number; 0; -1 */
static int
find_bus_type(const struct inf_addregs *regs, uint32_t *ret,
              struct v2v_error *err)
{
    for (size_t i = 0; i < regs->count; i++) {
        const struct inf_addreg *reg = &regs->items[i];
        V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
        struct v2v_error why;

        if (!v2v_equal_nocase(reg->subkey, "Parameters") ||
            !v2v_equal_nocase(reg->name, "BusType"))
            continue;
        if (inf_addreg_data(reg, NULL, &data, &why) < 0)
            return why.code == V2V_ERR_FORMAT
                       ? 0
                       : v2v_fail(err, why.code, "%s", why.text);
        if (data.len != 4)
            return 0;
        *ret = (uint32_t)v2v_get_le(data.data, 4);
        return 1;
    }
    return 0;
}

/* What the INF sets Parameters\BusType of the service to; as above. */
static int
inf_bus_type(const struct store *s, const struct inf_target *target,
             const char *service, uint32_t *ret, struct v2v_error *err)
{
    V2V_AUTO(inf_install) struct inf_install install = { 0 };
    struct v2v_error why;

    if (s->models.count == 0 ||
        inf_install_load(s->inf, s->models.items[0].install, target, &install,
                         &why) < 0)
        return 0;
    for (size_t i = 0; i < install.services.count; i++)
        if (v2v_equal_nocase(install.services.items[i].name, service))
            return find_bus_type(&install.services.items[i].addregs, ret, err);
    return 0;
}

int
store_compare_bus_type(struct verify *v, const struct store *s,
                       const struct verify_control_set *set,
                       const char *service, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *service_key = v2v_format(err, "%s\\Services\\%s", set->name, service);
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "%s\\Services\\%s\\Parameters", set->name, service);
    uint32_t wanted = 0, is;
    struct v2v_error why;
    int found;

    if (service_key == NULL || key == NULL)
        return -1;
    found = inf_bus_type(s, &v->in->facts->target, service, &wanted, err);
    if (found <= 0)
        return found;
    if (reg_has_key(v->system, service_key, &why) <= 0)
        return verify_unknown(v, "bus-type", key, err,
                              "depends on the link service");
    if (reg_get_dword(v->system, key, "BusType", &is, &why) < 0)
        return verify_found(v, "bus-type", key, err,
                            "there is no BusType; %s sets it to %u",
                            s->inf_name, wanted);
    if (is != wanted)
        return verify_found(v, "bus-type", key, err,
                            "BusType is %u; %s sets it to %u", is, s->inf_name,
                            wanted);
    return verify_holds(v, "bus-type", key, err, "BusType is %u, as in %s", is,
                        s->inf_name);
}
