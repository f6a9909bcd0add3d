/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/package.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"
#include "drivers/place.h"

/* Microsoft, "Run from driver store": Windows 10 1709 is the first */
enum { first_store_build = 16299 };

typedef int install_fn(const struct inf_install *install, void *opaque,
                       struct v2v_error *err);

/* Calls @fn for the install section of each model until it returns non-zero.
 * A section that is absent is malformed, not a search that found nothing. */
static int
each_install(const struct driver_package *package,
             const struct inf_target *target, install_fn *fn, void *opaque,
             struct v2v_error *err)
{
    const struct inf_models *models = &package->models;

    for (size_t i = 0; i < models->count; i++) {
        V2V_AUTO(inf_install) struct inf_install install = { 0 };
        const char *name = models->items[i].install;
        int result;

        if (i > 0 && v2v_equal_nocase(name, models->items[i - 1].install))
            continue;
        if (inf_install_load(package->inf, name, target, &install, err) < 0) {
            if (err != NULL && err->code == V2V_ERR_NOT_FOUND)
                err->code = V2V_ERR_FORMAT;
            return -1;
        }
        result = fn(&install, opaque, err);
        if (result != 0)
            return result;
    }
    return 0;
}

static bool
is_in_store(const struct inf_copies *copies)
{
    for (size_t i = 0; i < copies->count; i++) {
        if (copies->items[i].dirid == INF_DIRID_STORE)
            return true;
    }
    return false;
}

/* Returns 1 when a file or service is run from the driver store. */
static int
runs_from_store(const struct inf_install *install, void *opaque,
                struct v2v_error *err)
{
    (void)opaque;
    (void)err;
    if (is_in_store(&install->copies))
        return 1;
    for (size_t i = 0; i < install->services.count; i++) {
        if (v2v_has_prefix_nocase(install->services.items[i].binary_raw,
                                  "%13%"))
            return 1;
    }
    return 0;
}

/* Sets boot and programs of @opaque, the package; 1 when both are known. */
static int
note_services(const struct inf_install *install, void *opaque,
              struct v2v_error *err)
{
    static const uint32_t win32_types = 0x30; /* SERVICE_WIN32, winnt.h */
    struct driver_package *package = opaque;

    (void)err;
    for (size_t i = 0; i < install->services.count; i++) {
        const struct inf_service *service = &install->services.items[i];

        if (service->name[0] == '\0' || service->foreign)
            continue;
        package->boot |= service->start == INF_START_BOOT;
        package->programs |=
            (service->type & win32_types) != 0 ||
            !v2v_has_suffix_nocase(service->binary_raw, ".sys");
    }
    return package->boot && package->programs;
}

static bool
has_driver_store_dirid(const struct inf_target *target)
{
    return target->major > 10 ||
           (target->major == 10 && target->build >= first_store_build);
}

/* Windows takes what a file that was cut off lacks for "no devices" or
 * "nothing to do"; here that would pass over a boot driver.  [Strings] is the
 * last section of every INF of virtio-win, and Provider needs it. */
static int
check_not_cut(const struct driver_package *package, struct v2v_error *err)
{
    const struct inf_models *models = &package->models;
    const struct inf_version *version = &package->version;

    if (version->provider != NULL &&
        strchr(version->provider_raw, '%') != NULL &&
        strcmp(version->provider, version->provider_raw) == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "no [Strings] for Provider=%s; is the file whole?",
                        version->provider_raw);
    if (inf_section_find(package->inf, "Manufacturer") == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "no [Manufacturer] section; is the file whole?");
    for (size_t i = 0; models->count == 0 && i < models->sections.count; i++) {
        const char *name = models->sections.items[i];

        if (inf_section_find(package->inf, name) == NULL)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "no models section [%s]; is the file whole?", name);
    }
    if (models->count > PACKAGE_MAX_MODELS)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d models",
                        PACKAGE_MAX_MODELS);
    return 0;
}

static int
parse(const struct v2v_bytes *text, const struct inf_target *target,
      struct driver_package *package, struct v2v_error *err)
{
    if (inf_parse(text->data, text->len, &package->inf, err) < 0 ||
        inf_version_parse(package->inf, target->arch, &package->version, err) <
            0 ||
        inf_models_select(package->inf, target, &package->models, err) < 0)
        return -1;
    return check_not_cut(package, err);
}

int
package_read(const struct v2v_bytes *text, const struct inf_target *target,
             struct driver_package *ret, struct v2v_error *err)
{
    V2V_AUTO(package) struct driver_package package = { 0 };

    if (parse(text, target, &package, err) < 0 ||
        each_install(&package, target, note_services, &package, err) < 0)
        return -1;
    *ret = package;
    package = (struct driver_package){ 0 };
    return 0;
}

int
package_fits(const struct driver_package *package, const char *path,
             const struct inf_target *target, enum drivers_rule *rule,
             char **why, struct v2v_error *err)
{
    int store;

    if (package->models.count == 0) {
        *rule = DRIVERS_LOST_MODELS;
        *why = v2v_format(err, "%s has no devices for %u.%u build %u", path,
                          target->major, target->minor, target->build);
        return *why != NULL ? 0 : -1;
    }
    store = each_install(package, target, runs_from_store, NULL, err);
    if (store < 0)
        return -1;
    if (store == 0 || has_driver_store_dirid(target))
        return 1;
    *rule = DRIVERS_LOST_STORE;
    *why = v2v_format(err,
                      "%s runs from the driver store (directory id 13), which "
                      "needs build %d",
                      path, first_store_build);
    return *why != NULL ? 0 : -1;
}

/* @path's file name when it lies in @folder, or NULL. */
static const char *
name_in(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    if (strncmp(path, folder, len) != 0)
        return NULL;
    if (len == 0)
        return path;
    return path[len] == '/' ? path + len + 1 : NULL;
}

static size_t
first_in(const struct media *m, const char *folder, const char *name,
         struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path =
        v2v_format(err, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);

    return path != NULL ? media_lower_bound(m, path) : SIZE_MAX;
}

/* Takes the short name of @name when there is just one in @folder.  Returns
 * how many there are. */
static size_t
find_short(const struct media *m, size_t first, const char *folder,
           const char *name, size_t *ret)
{
    size_t count = 0, found = media_count(m);

    for (size_t i = first; i < media_count(m); i++) {
        const char *path = media_at(m, i)->path;
        const char *other = name_in(path, folder);

        if (!v2v_has_prefix_nocase(path, folder))
            break;
        if (other != NULL && strchr(other, '/') == NULL &&
            media_is_short_for(other, name)) {
            found = i;
            count++;
        }
    }
    if (count == 1)
        *ret = found;
    return count;
}

/* The index of @folder's file @name, in any case or shortened; the folder
 * itself is spelt as on the medium.  @ret: media_count() when there is none.
 */
static int
find_file(const struct media *m, const char *folder, const char *name,
          size_t *ret, struct v2v_error *err)
{
    size_t first = first_in(m, folder, "", err);
    size_t i = first_in(m, folder, name, err);

    if (first == SIZE_MAX || i == SIZE_MAX)
        return -1;
    *ret = media_count(m);
    for (; i < media_count(m); i++) {
        const char *path = media_at(m, i)->path;
        const char *other = name_in(path, folder);

        if (other != NULL && v2v_equal_nocase(other, name)) {
            *ret = i;
            return 0;
        }
        if (!v2v_has_suffix_nocase(path, name))
            break;
    }
    if (strchr(name, '/') == NULL)
        find_short(m, first, folder, name, ret);
    return 0;
}

static bool
has_index(const struct package_origin *origin, size_t index)
{
    for (size_t i = 0; i < origin->count; i++) {
        if (origin->indexes[i] == index)
            return true;
    }
    return false;
}

/* @name: as the INF has it; NULL: only the medium knows */
static int
add_file(const struct media *m, size_t index, const char *name,
         struct driver_package *package, struct package_origin *origin,
         struct v2v_error *err)
{
    const char *found = name_in(media_at(m, index)->path, package->source);
    bool is_short = name != NULL && !v2v_equal_nocase(found, name);
    char *copy;

    if (has_index(origin, index))
        return 0;
    if (package->file_count == PACKAGE_MAX_FILES)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d files",
                        PACKAGE_MAX_FILES);
    if (is_short)
        v2v_fact("drivers", "%s: taken for %s", media_at(m, index)->path, name);
    copy = v2v_strdup(is_short ? name : found, err);
    if (copy == NULL)
        return -1;
    package->files[package->file_count++] =
        (struct driver_file){ .name = copy };
    origin->indexes[origin->count++] = index;
    return 0;
}

static bool
names_source(const struct inf_copies *copies, const char *source_path)
{
    for (size_t i = 0; i < copies->count; i++) {
        if (v2v_equal_nocase(copies->items[i].source_path, source_path))
            return true;
    }
    return false;
}

/* Returns 1 when @opaque, a source path, is copied for a device. */
static int
copies_source(const struct inf_install *install, void *opaque,
              struct v2v_error *err)
{
    (void)err;
    return names_source(&install->copies, opaque) ||
           names_source(&install->coinstaller_copies, opaque) ||
           names_source(&install->interface_copies, opaque);
}

static size_t
count_short(const struct media *m, const char *folder, const char *name)
{
    size_t first = first_in(m, folder, "", NULL), ignored;

    if (first == SIZE_MAX || strchr(name, '/') != NULL)
        return 0;
    return find_short(m, first, folder, name, &ignored);
}

int
package_check_absent(const struct media *m,
                     const struct driver_package *package,
                     const struct inf_target *target,
                     const struct v2v_strings *absent, struct v2v_error *err)
{
    for (size_t i = 0; i < absent->count; i++) {
        char *path = absent->items[i];
        int needed = each_install(package, target, copies_source, path, err);

        if (needed < 0)
            return -1;
        if (needed > 0)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "the INF copies %s, and the medium has no %s/%s%s",
                            path, package->source, path,
                            count_short(m, package->source, path) > 1
                                ? ", but several short names that may be its"
                                : "");
        v2v_fact("drivers",
                 "%s/%s: %s is not on the medium; other Windows need it",
                 package->source, package->inf_name, path);
    }
    return 0;
}

static int
add_copied_file(const struct media *m, const char *source_path,
                struct driver_package *package, struct package_origin *origin,
                struct v2v_strings *absent, struct v2v_error *err)
{
    size_t index;

    if (find_file(m, package->source, source_path, &index, err) < 0)
        return -1;
    if (index == media_count(m))
        return v2v_strings_add(absent, source_path, err);
    return add_file(m, index, source_path, package, origin, err);
}

static int
add_catalog(const struct media *m, struct driver_package *package,
            struct package_origin *origin, struct v2v_error *err)
{
    size_t index;

    package->catalog_index = SIZE_MAX;
    if (package->version.catalog == NULL)
        return 0;
    if (find_file(m, package->source, package->version.catalog, &index, err) <
        0)
        return -1;
    if (index == media_count(m))
        return 0;
    package->catalog_index = package->file_count;
    return add_file(m, index, package->version.catalog, package, origin, err);
}

/* Plain ISO 9660 has "PVPANIC_.INF", and nothing in the INF has its own name;
 * but every INF of virtio-win is named as its catalog. */
static char *
long_inf_name(const char *name, const char *catalog, struct v2v_error *err)
{
    V2V_AUTO(mem) char *guess = NULL;
    const char *dot = catalog != NULL ? strrchr(catalog, '.') : NULL;

    if (dot == NULL)
        return v2v_strdup(name, err);
    guess = v2v_format(err, "%.*s.inf", (int)(dot - catalog), catalog);
    if (guess == NULL)
        return NULL;
    if (v2v_equal_nocase(name, guess) || !media_is_short_for(name, guess))
        return v2v_strdup(name, err);
    return v2v_steal(guess);
}

/* "viostor/w10/amd64" and "viostor.inf" from the INF's path */
static int
name_package(const char *path, struct driver_package *package,
             struct v2v_error *err)
{
    package->source = place_folder(path, err);
    package->inf_name =
        long_inf_name(v2v_base_name(path), package->version.catalog, err);
    return package->source != NULL && package->inf_name != NULL ? 0 : -1;
}

int
package_list_files(const struct media *m, size_t inf_index, enum inf_arch arch,
                   struct driver_package *package, struct package_origin *ret,
                   struct v2v_strings *absent, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings copied = { 0 };
    V2V_AUTO(origin) struct package_origin origin = { 0 };

    origin.indexes = calloc(PACKAGE_MAX_FILES, sizeof *origin.indexes);
    package->files = calloc(PACKAGE_MAX_FILES, sizeof *package->files);
    if (package->files == NULL || origin.indexes == NULL)
        return v2v_fail_errno(err, errno, "list of files");
    if (name_package(media_at(m, inf_index)->path, package, err) < 0 ||
        add_file(m, inf_index, package->inf_name, package, &origin, err) < 0 ||
        add_catalog(m, package, &origin, err) < 0 ||
        inf_package_files(package->inf, arch, &copied, err) < 0)
        return -1;
    for (size_t i = 0; i < copied.count; i++) {
        if (add_copied_file(m, copied.items[i], package, &origin, absent, err) <
            0)
            return -1;
    }
    *ret = origin;
    origin = (struct package_origin){ 0 };
    return 0;
}

static int
fill_files(struct media *m, struct driver_package *const *packages,
           size_t count, const size_t *indexes, size_t total,
           struct v2v_error *err)
{
    V2V_AUTO(mem) struct v2v_bytes *loaded = calloc(total, sizeof *loaded);
    size_t at = 0;

    if (loaded == NULL)
        return v2v_fail_errno(err, errno, "list of files to load");
    if (media_load(m, indexes, total, loaded, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < packages[i]->file_count; k++)
            packages[i]->files[k].data = loaded[at++];
    }
    return 0;
}

int
package_load(struct media *m, struct driver_package *const *packages,
             const struct package_origin *origins, size_t count,
             struct v2v_error *err)
{
    V2V_AUTO(mem) size_t *indexes = NULL;
    size_t total = 0, at = 0;

    for (size_t i = 0; i < count; i++)
        total += origins[i].count;
    if (total == 0)
        return 0;
    indexes = calloc(total, sizeof *indexes);
    if (indexes == NULL)
        return v2v_fail_errno(err, errno, "list of files to load");
    for (size_t i = 0; i < count; i++) {
        memcpy(indexes + at, origins[i].indexes,
               origins[i].count * sizeof *indexes);
        at += origins[i].count;
    }
    return fill_files(m, packages, count, indexes, total, err);
}

/* The catalog that goes with an INF that may be malformed. */
static int
find_catalog(const struct media *m, size_t inf_index,
             const struct driver_package *package, size_t *ret,
             struct v2v_error *err)
{
    const char *path = media_at(m, inf_index)->path;
    const char *name = v2v_base_name(path);
    V2V_AUTO(mem) char *folder = place_folder(path, err);
    V2V_AUTO(mem) char *catalog = NULL;

    if (package->version.catalog != NULL)
        catalog = v2v_strdup(package->version.catalog, err);
    else
        catalog = v2v_format(err, "%.*s.cat",
                             (int)(strlen(name) - strlen(".inf")), name);
    if (folder == NULL || catalog == NULL)
        return -1;
    return find_file(m, folder, catalog, ret, err);
}

static int
check_listed(const struct v2v_bytes *data, const char *path,
             const struct v2v_bytes *text, char **why, struct v2v_error *err)
{
    V2V_AUTO(catalog) struct catalog catalog = { 0 };
    const struct catalog_file file = { v2v_base_name(path), text->data,
                                       text->len };
    struct v2v_error damage = { 0 };
    enum catalog_match match;

    if (catalog_parse(data->data, data->len, &catalog, &damage) < 0)
        *why = v2v_format(err, "%s: its catalog: %s", path, damage.text);
    else if (catalog_check_files(&catalog, &file, 1, &match, err) < 0)
        return -1;
    else if (match != CATALOG_MATCH)
        *why = v2v_format(err, "%s %s", path, catalog_match_text(match));
    else
        return 1;
    return *why != NULL ? 0 : -1;
}

int
package_check_inf(struct media *m, size_t inf_index,
                  const struct v2v_bytes *text,
                  const struct driver_package *package, char **why,
                  struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    size_t index;

    if (find_catalog(m, inf_index, package, &index, err) < 0)
        return -1;
    if (index == media_count(m))
        return 1;
    if (media_load(m, &index, 1, &data, err) < 0)
        return -1;
    return check_listed(&data, media_at(m, inf_index)->path, text, why, err);
}

void
package_done(struct driver_package *package)
{
    for (size_t i = 0; i < package->file_count; i++) {
        free(package->files[i].name);
        v2v_bytes_done(&package->files[i].data);
    }
    free(package->files);
    inf_models_done(&package->models);
    inf_version_done(&package->version);
    inf_free(package->inf);
    free(package->driver);
    free(package->source);
    free(package->why);
    free(package->inf_name);
    free(package->content_id);
    free(package->verdict_why);
    catalog_done(&package->catalog);
    *package = (struct driver_package){ 0 };
}
