/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/package.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"
#include "catalog/catalog.h"
#include "catalog/sha256.h"

/* Microsoft, "Run from driver store": Windows 10 1709 is the first */
enum { dirid_driver_store = 13, first_store_build = 16299 };

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
        if (copies->items[i].dirid == dirid_driver_store)
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

/* Returns 1 when it serves @guest, 0 and @reject, or -1. */
static int
judge(const struct driver_package *package, const char *path,
      const struct drivers_guest *guest, char **reject, struct v2v_error *err)
{
    const struct inf_target *target = &guest->target;
    int store;

    if (package->models.count == 0) {
        *reject = v2v_format(err, "%s has no devices for %u.%u build %u", path,
                             target->major, target->minor, target->build);
        return *reject != NULL ? 0 : -1;
    }
    store = each_install(package, target, runs_from_store, NULL, err);
    if (store < 0)
        return -1;
    if (store == 0 || has_driver_store_dirid(target))
        return 1;
    *reject = v2v_format(err,
                         "%s runs from the driver store (directory id 13), "
                         "which needs build %d",
                         path, first_store_build);
    return *reject != NULL ? 0 : -1;
}

int
package_read(const struct v2v_bytes *text, const char *path,
             const struct drivers_guest *guest, struct driver_package *ret,
             char **reject, struct v2v_error *err)
{
    V2V_AUTO(package) struct driver_package package = { 0 };
    int result;

    if (parse(text, &guest->target, &package, err) < 0)
        return -1;
    result = judge(&package, path, guest, reject, err);
    if (result == 1) {
        *ret = package;
        package = (struct driver_package){ 0 };
    }
    return result;
}

/* The index of @folder's file @name, in any case; the folder itself is spelt
 * as on the medium.  media_count() when there is none. */
static size_t
find_file(const struct media *m, const char *folder, const char *name)
{
    size_t len = strlen(folder);

    for (size_t i = 0; i < media_count(m); i++) {
        const char *path = media_at(m, i)->path;

        if (strncmp(path, folder, len) == 0 && path[len] == '/' &&
            v2v_equal_nocase(path + len + 1, name))
            return i;
    }
    return media_count(m);
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

static int
add_file(const struct media *m, size_t index, struct driver_package *package,
         struct package_origin *origin, struct v2v_error *err)
{
    const char *path = media_at(m, index)->path;
    char *name;

    if (has_index(origin, index))
        return 0;
    if (package->file_count == PACKAGE_MAX_FILES)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d files",
                        PACKAGE_MAX_FILES);
    name = v2v_strdup(path + strlen(package->source) + 1, err);
    if (name == NULL)
        return -1;
    package->files[package->file_count++] =
        (struct driver_file){ .name = name };
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

static int
add_copied_file(const struct media *m, char *source_path,
                const struct drivers_guest *guest,
                struct driver_package *package, struct package_origin *origin,
                struct v2v_error *err)
{
    size_t index = find_file(m, package->source, source_path);
    int needed;

    if (index < media_count(m))
        return add_file(m, index, package, origin, err);
    needed =
        each_install(package, &guest->target, copies_source, source_path, err);
    if (needed < 0)
        return -1;
    if (needed > 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the INF copies %s, and the medium has no %s/%s",
                        source_path, package->source, source_path);
    v2v_fact("drivers", "%s/%s: %s is not on the medium; other Windows need it",
             package->source, package->inf_name, source_path);
    return 0;
}

static int
add_catalog(const struct media *m, struct driver_package *package,
            struct package_origin *origin, struct v2v_error *err)
{
    size_t index;

    package->catalog_index = SIZE_MAX;
    if (package->version.catalog == NULL)
        return 0;
    package->catalog_name = v2v_strdup(package->version.catalog, err);
    if (package->catalog_name == NULL)
        return -1;
    index = find_file(m, package->source, package->catalog_name);
    if (index == media_count(m))
        return 0;
    package->catalog_index = package->file_count;
    return add_file(m, index, package, origin, err);
}

/* "viostor/w10/amd64" and "viostor.inf" from the INF's path */
static int
name_package(const char *path, struct driver_package *package,
             struct v2v_error *err)
{
    const char *slash = strrchr(path, '/');

    package->source = v2v_strndup(path, (size_t)(slash - path), err);
    package->inf_name = v2v_strdup(slash + 1, err);
    return package->source != NULL && package->inf_name != NULL ? 0 : -1;
}

int
package_list_files(const struct media *m, size_t inf_index,
                   const struct drivers_guest *guest,
                   struct driver_package *package, struct package_origin *ret,
                   struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings copied = { 0 };
    V2V_AUTO(origin) struct package_origin origin = { 0 };

    origin.indexes = calloc(PACKAGE_MAX_FILES, sizeof *origin.indexes);
    package->files = calloc(PACKAGE_MAX_FILES, sizeof *package->files);
    if (package->files == NULL || origin.indexes == NULL)
        return v2v_fail_errno(err, errno, "list of files");
    if (name_package(media_at(m, inf_index)->path, package, err) < 0 ||
        add_file(m, inf_index, package, &origin, err) < 0 ||
        add_catalog(m, package, &origin, err) < 0 ||
        inf_package_files(package->inf, guest->target.arch, &copied, err) < 0)
        return -1;
    for (size_t i = 0; i < copied.count; i++) {
        if (add_copied_file(m, copied.items[i], guest, package, &origin, err) <
            0)
            return -1;
    }
    *ret = origin;
    origin = (struct package_origin){ 0 };
    return 0;
}

static bool
is_windows_8(const struct inf_target *target)
{
    return target->major > 6 || (target->major == 6 && target->minor >= 2);
}

static void
warn_unsigned(const struct driver_package *package)
{
    v2v_warn("drivers", "driver-unsigned",
             "%s/%s: the medium has no catalog%s%s, the package counts as "
             "unsigned; Windows loads the driver only if it accepts a "
             "signature inside the .sys",
             package->source, package->inf_name,
             package->catalog_name != NULL ? " " : "",
             package->catalog_name != NULL ? package->catalog_name : "");
}

/* Microsoft, "Driver signing policy": from 8 on, x64 and Secure Boot.  The
 * code was seen with the 0.1.240 packages for 8.1 and 2012 R2. */
static void
warn_untrusted(const struct driver_package *package,
               const struct drivers_guest *guest)
{
    v2v_warn("drivers", "driver-untrusted",
             "%s/%s: signed by %s, not by Microsoft: with Secure Boot, and "
             "without it unless the certificate is cross-signed, %s refuses "
             "the driver with 0xc0000428",
             package->source, package->inf_name, package->signer_name,
             guest->os_label);
}

int
package_judge_signature(const struct drivers_guest *guest,
                        struct driver_package *package, struct v2v_error *err)
{
    V2V_AUTO(catalog_signer) struct catalog_signer signer = { 0 };
    const struct driver_file *catalog;

    package->signer_score = DRIVERS_SCORE_UNSIGNED;
    if (package->catalog_index == SIZE_MAX) {
        warn_unsigned(package);
        return 0;
    }
    catalog = &package->files[package->catalog_index];
    if (catalog_signer(catalog->data.data, catalog->data.len, &signer, err) < 0)
        return v2v_fail_in(err, "%s/%s", package->source, catalog->name);
    package->signer_name = v2v_steal(signer.name);
    package->signer_score =
        signer.microsoft ? DRIVERS_SCORE_MICROSOFT : DRIVERS_SCORE_AUTHENTICODE;
    if (!signer.microsoft && is_windows_8(&guest->target))
        warn_untrusted(package, guest);
    return 0;
}

/* Names with their NULs and contents, in the order of the package. */
int
package_identify(struct driver_package *package, struct v2v_error *err)
{
    V2V_AUTO(mem) struct catalog_piece *pieces =
        calloc(2 * package->file_count, sizeof *pieces);
    uint8_t digest[CATALOG_SHA256_LEN];

    if (pieces == NULL)
        return v2v_fail_errno(err, errno, "%s", package->source);
    for (size_t i = 0; i < package->file_count; i++) {
        const struct driver_file *file = &package->files[i];

        pieces[2 * i] =
            (struct catalog_piece){ file->name, strlen(file->name) + 1 };
        pieces[2 * i + 1] =
            (struct catalog_piece){ file->data.data, file->data.len };
    }
    if (catalog_sha256(pieces, 2 * package->file_count, digest, err) < 0)
        return -1;
    package->content_id = v2v_format(
        err, "%02x%02x%02x%02x%02x%02x%02x%02x", digest[0], digest[1],
        digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]);
    return package->content_id == NULL ? -1 : 0;
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
    free(package->catalog_name);
    free(package->content_id);
    free(package->signer_name);
    *package = (struct driver_package){ 0 };
}
