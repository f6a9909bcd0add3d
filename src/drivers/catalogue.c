/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every INF on some media.  Packages are read in batches, and only what the
 * entries say is kept, so that memory does not grow with the medium. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "catalog/sha256.h"
#include "drivers/names.h"
#include "drivers/package.h"
#include "drivers/place.h"
#include "drivers/served.h"

/* A batch ends with the first of these that is reached.  Each pass over an ISO
 * costs some ms. */
enum {
    batch_infs = 128,
    batch_inf_bytes = 4 << 20,
    batch_file_bytes = 24 << 20
};

/* An INF of a batch. */
struct work {
    size_t index;
    struct place place;
    struct inf_target target; /* of the directory, or a usual one */
    struct v2v_bytes text;
    struct driver_package package;
    struct package_origin origin;
    struct v2v_strings absent;
    char *error; /* why the INF cannot be read */
};

struct reader {
    struct media *m;
    size_t medium;
    struct work *batch;
    size_t count;
    struct drivers_catalogue catalogue;
    uint8_t (*digests)[CATALOG_SHA256_LEN]; /* [i]: of items[i]'s INF */
};

static void
clear_batch(struct reader *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct work *work = &r->batch[i];

        place_done(&work->place);
        v2v_bytes_done(&work->text);
        package_done(&work->package);
        free(work->origin.indexes);
        v2v_strings_done(&work->absent);
        free(work->error);
        *work = (struct work){ 0 };
    }
    r->count = 0;
}

/* ---- reading a batch ---- */

static int
load_texts(struct reader *r, struct v2v_error *err)
{
    size_t indexes[batch_infs];
    struct v2v_bytes loaded[batch_infs];

    for (size_t i = 0; i < r->count; i++)
        indexes[i] = r->batch[i].index;
    if (media_load(r->m, indexes, r->count, loaded, err) < 0)
        return -1;
    for (size_t i = 0; i < r->count; i++)
        r->batch[i].text = loaded[i];
    return 0;
}

/* The directory's Windows; else one that has not gone yet, and the first
 * architecture that the INF has devices for. */
static int
choose_target(struct work *work, struct v2v_error *err)
{
    static const enum inf_arch archs[] = { INF_ARCH_AMD64, INF_ARCH_X86,
                                           INF_ARCH_ARM64 };
    const struct inf_target usual = { INF_ARCH_AMD64, 10, 0, 19045, 1, 0 };
    V2V_AUTO(inf) struct inf_file *inf = NULL;

    work->target = work->place.os != NULL
                       ? directory_target(work->place.os, work->place.arch)
                       : usual;
    if (work->place.os != NULL)
        return 0;
    if (inf_parse(work->text.data, work->text.len, &inf, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof archs / sizeof *archs; i++) {
        V2V_AUTO(inf_models) struct inf_models models = { 0 };

        work->target.arch = archs[i];
        if (inf_models_select(inf, &work->target, &models, err) < 0)
            return -1;
        if (models.count > 0)
            return 0;
    }
    work->target = usual;
    return 0;
}

static int
read_package(struct reader *r, struct work *work, struct v2v_error *err)
{
    if (choose_target(work, err) < 0 ||
        package_read(&work->text, &work->target, &work->package, err) < 0)
        return -1;
    work->package.medium = r->medium;
    return package_list_files(r->m, work->index, work->target.arch,
                              &work->package, &work->origin, &work->absent,
                              err);
}

/* A malformed INF is an entry, too. */
static int
read_packages(struct reader *r, struct v2v_error *err)
{
    for (size_t i = 0; i < r->count; i++) {
        struct work *work = &r->batch[i];
        struct v2v_error bad = { 0 };

        if (read_package(r, work, &bad) == 0)
            continue;
        if (bad.code != V2V_ERR_FORMAT)
            return v2v_fail(err, bad.code, "%s", bad.text);
        work->error = v2v_strdup(bad.text, err);
        if (work->error == NULL)
            return -1;
        package_done(&work->package);
    }
    return 0;
}

static uint64_t
package_size(const struct reader *r, const struct work *work)
{
    uint64_t size = 0;

    for (size_t i = 0; i < work->origin.count; i++)
        size += media_at(r->m, work->origin.indexes[i])->size;
    return size;
}

static int
judge(struct work *work, struct v2v_error *err)
{
    struct catalog_target target = package_catalog_target(&work->target);

    if (package_judge(&target, &work->package, err) < 0)
        return -1;
    return work->absent.count > 0 ? 0 : package_identify(&work->package, err);
}

static void
drop_files(struct driver_package *package)
{
    for (size_t i = 0; i < package->file_count; i++)
        v2v_bytes_done(&package->files[i].data);
}

/* Loads and judges what fits in memory at once, from work @first on; returns
 * how many, or 0 and @err. */
static size_t
judge_some(struct reader *r, size_t first, struct v2v_error *err)
{
    struct driver_package *packages[batch_infs];
    struct package_origin origins[batch_infs];
    size_t end = first, used = 0;
    uint64_t size = 0;

    while (end < r->count) {
        struct work *work = &r->batch[end];

        size += package_size(r, work);
        if (end > first && size > batch_file_bytes)
            break;
        end++;
        if (work->error != NULL)
            continue;
        packages[used] = &work->package;
        origins[used++] = work->origin;
    }
    if (used > 0 && package_load(r->m, packages, origins, used, err) < 0)
        return 0;
    for (size_t i = first; i < end; i++) {
        if (r->batch[i].error == NULL && judge(&r->batch[i], err) < 0)
            return 0;
        drop_files(&r->batch[i].package);
    }
    return end - first;
}

/* ---- entries ---- */

static bool
has_version(const struct v2v_strings *attrs, const struct directory *os)
{
    for (size_t i = 0; i < attrs->count; i++) {
        unsigned major, minor;

        if (package_os_attr(attrs->items[i], &major, &minor) &&
            major == os->major && minor == os->minor)
            return true;
    }
    return attrs->count == 0;
}

/* "2:6.1, 2:6.2", new */
static char *
list_text(const struct v2v_strings *list, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    for (size_t i = 0; i < list->count; i++)
        if (v2v_bytes_list(&text, err, "%s", list->items[i]) < 0)
            return NULL;
    return v2v_strndup(text.len > 0 ? (const char *)text.data : "", text.len,
                       err);
}

/* Takes @text. */
static int
warn(struct drivers_place *place, char *text, struct v2v_error *err)
{
    V2V_AUTO(mem) char *own = text;

    return own != NULL ? v2v_strings_add(&place->warnings, own, err) : -1;
}

static int
compare_witnesses(const struct work *work, const struct drivers_entry *entry,
                  struct drivers_place *place, struct v2v_error *err)
{
    const struct directory *os = work->place.os;
    const struct inf_target *target = &work->target;
    V2V_AUTO(mem) char *attrs = list_text(&place->catalog_os_attr, err);
    unsigned major, minor;

    if (attrs == NULL)
        return -1;
    if (os != NULL && work->package.models.count == 0 &&
        warn(place,
             v2v_format(err,
                        "its directory is for %s %s, and the INF has no "
                        "devices for that (%u.%u build %u)",
                        os->label, inf_arch_name(target->arch), target->major,
                        target->minor, target->build),
             err) < 0)
        return -1;
    if (os != NULL && !has_version(&place->catalog_os_attr, os) &&
        warn(place,
             v2v_format(err,
                        "its directory is for %s (%u.%u), and its catalog for "
                        "%s",
                        os->label, os->major, os->minor, attrs),
             err) < 0)
        return -1;
    if (served_lowest(&entry->decorations, target->arch, &major, &minor) &&
        package_is_for_newer(
            &place->catalog_os_attr,
            &(struct inf_target){ .major = major, .minor = minor }) &&
        warn(place,
             v2v_format(err,
                        "its Models serve Windows %u.%u, and its catalog is "
                        "for %s",
                        major, minor, attrs),
             err) < 0)
        return -1;
    return 0;
}

static void
place_free(struct drivers_place *place)
{
    free(place->path);
    free(place->content_id);
    free(place->catalog_name);
    v2v_strings_done(&place->catalog_os);
    v2v_strings_done(&place->catalog_os_attr);
    catalog_signer_done(&place->signer);
    free(place->verdict_why);
    v2v_strings_done(&place->absent);
    v2v_strings_done(&place->warnings);
}

static int
copy_text(const char *text, char **ret, struct v2v_error *err)
{
    if (text == NULL)
        return 0;
    *ret = v2v_strdup(text, err);
    return *ret != NULL ? 0 : -1;
}

/* Moves what the package knows. */
static int
fill_place(const struct reader *r, struct work *work,
           const struct drivers_entry *entry, struct drivers_place *place,
           struct v2v_error *err)
{
    struct driver_package *package = &work->package;
    struct catalog *catalog = &package->catalog;

    place->medium = r->medium;
    place->path = v2v_strdup(media_at(r->m, work->index)->path, err);
    if (place->path == NULL)
        return -1;
    if (work->place.os != NULL) {
        place->os = work->place.os->name;
        place->os_label = work->place.os->label;
    }
    place->has_arch = work->place.has_arch;
    place->arch = work->place.arch;
    if (work->error != NULL)
        return 0;
    place->content_id = v2v_steal(package->content_id);
    place->verdict = package->judgement.verdict;
    place->verdict_why = v2v_steal(package->verdict_why);
    place->absent = work->absent;
    work->absent = (struct v2v_strings){ 0 };
    place->catalog_os = catalog->os;
    catalog->os = (struct v2v_strings){ 0 };
    place->catalog_os_attr = catalog->os_attr;
    catalog->os_attr = (struct v2v_strings){ 0 };
    place->signer = catalog->signer;
    catalog->signer = (struct catalog_signer){ 0 };
    if (copy_text(package->version.catalog, &place->catalog_name, err) < 0)
        return -1;
    return compare_witnesses(work, entry, place, err);
}

static int
fill_served(const struct work *work, struct drivers_entry *entry,
            struct v2v_error *err)
{
    struct v2v_error bad = { 0 };

    if (served_read(work->package.inf, &entry->decorations,
                    &entry->hardware_ids, &bad) == 0)
        return 0;
    if (bad.code != V2V_ERR_FORMAT)
        return v2v_fail(err, bad.code, "%s", bad.text);
    entry->error = v2v_strdup(bad.text, err);
    return entry->error != NULL ? 0 : -1;
}

static int
fill_entry(struct work *work, struct drivers_entry *entry,
           struct v2v_error *err)
{
    const struct inf_version *version = &work->package.version;

    entry->driver = v2v_strdup(work->place.driver, err);
    entry->inf_name = work->error == NULL
                          ? v2v_strdup(work->package.inf_name, err)
                          : v2v_format(err, "%s.inf", work->place.stem);
    if (entry->driver == NULL || entry->inf_name == NULL)
        return -1;
    if (work->error != NULL)
        return copy_text(work->error, &entry->error, err);
    entry->driver_ver = version->driver_ver;
    if (copy_text(version->class_name, &entry->class_name, err) < 0 ||
        copy_text(version->class_guid, &entry->class_guid, err) < 0 ||
        copy_text(version->provider, &entry->provider, err) < 0)
        return -1;
    return fill_served(work, entry, err);
}

static int
grow_entries(struct reader *r, struct v2v_error *err)
{
    struct drivers_catalogue *c = &r->catalogue;
    void *items = realloc(c->items, (c->count + 1) * sizeof *c->items);
    void *digests;

    if (items == NULL)
        return v2v_fail_errno(err, errno, "list of INFs");
    c->items = items;
    digests = realloc(r->digests, (c->count + 1) * sizeof *r->digests);
    if (digests == NULL)
        return v2v_fail_errno(err, errno, "list of INFs");
    r->digests = digests;
    c->items[c->count] = (struct drivers_entry){ 0 };
    return 0;
}

/* The entry of that INF, maybe a new one; NULL and @err. */
static struct drivers_entry *
entry_of(struct reader *r, struct work *work, struct v2v_error *err)
{
    struct drivers_catalogue *c = &r->catalogue;
    const struct catalog_piece piece = { work->text.data, work->text.len };
    uint8_t digest[CATALOG_SHA256_LEN];

    if (catalog_sha256(&piece, 1, digest, err) < 0)
        return NULL;
    for (size_t i = 0; i < c->count; i++) {
        if (memcmp(r->digests[i], digest, sizeof digest) == 0)
            return &c->items[i];
    }
    if (grow_entries(r, err) < 0)
        return NULL;
    memcpy(r->digests[c->count], digest, sizeof digest);
    return fill_entry(work, &c->items[c->count++], err) < 0
               ? NULL
               : &c->items[c->count - 1];
}

static int
add_work(struct reader *r, struct work *work, struct v2v_error *err)
{
    struct drivers_entry *entry = entry_of(r, work, err);
    struct drivers_place *places;

    if (entry == NULL)
        return -1;
    places = realloc(entry->places, (entry->place_count + 1) * sizeof *places);
    if (places == NULL)
        return v2v_fail_errno(err, errno, "list of places");
    entry->places = places;
    places[entry->place_count] = (struct drivers_place){ 0 };
    entry->boot |= work->package.boot;
    return fill_place(r, work, entry, &places[entry->place_count++], err);
}

static int
read_batch(struct reader *r, struct v2v_error *err)
{
    if (load_texts(r, err) < 0 || read_packages(r, err) < 0)
        return -1;
    for (size_t i = 0, done; i < r->count; i += done) {
        done = judge_some(r, i, err);
        if (done == 0)
            return -1;
    }
    for (size_t i = 0; i < r->count; i++) {
        if (add_work(r, &r->batch[i], err) < 0)
            return v2v_fail_in(err, "%s",
                               media_at(r->m, r->batch[i].index)->path);
    }
    clear_batch(r);
    return 0;
}

static int
read_medium(struct reader *r, size_t *total, struct v2v_error *err)
{
    uint64_t size = 0;

    for (size_t i = 0; i < media_count(r->m); i++) {
        const struct media_file *file = media_at(r->m, i);

        if (!v2v_has_suffix_nocase(file->path, ".inf"))
            continue;
        if ((*total)++ == DRIVERS_MAX_INFS)
            return v2v_fail(err, V2V_ERR_FORMAT, "more than %d INFs",
                            DRIVERS_MAX_INFS);
        if (file->size > PACKAGE_MAX_INF) {
            v2v_warn("drivers", "inf-too-large", "%s: %s: larger than %d KiB",
                     media_name(r->m), file->path, PACKAGE_MAX_INF >> 10);
            continue;
        }
        if (place_parse(file->path, &r->batch[r->count].place, err) < 0)
            return -1;
        r->batch[r->count++].index = i;
        size += file->size;
        if (r->count < batch_infs && size < batch_inf_bytes)
            continue;
        size = 0;
        if (read_batch(r, err) < 0)
            return -1;
    }
    return r->count > 0 ? read_batch(r, err) : 0;
}

static int
compare_entries(const void *a, const void *b)
{
    const struct drivers_entry *x = a, *y = b;
    int result = strcasecmp(x->driver, y->driver);

    if (result == 0)
        result = strcasecmp(x->inf_name, y->inf_name);
    if (result == 0)
        result = x->places->medium < y->places->medium   ? -1
                 : x->places->medium > y->places->medium ? 1
                                                         : 0;
    return result != 0 ? result : strcmp(x->places->path, y->places->path);
}

int
drivers_catalogue_read(struct media *const *media, size_t count,
                       struct drivers_catalogue *ret, struct v2v_error *err)
{
    struct reader r = { .batch = calloc(batch_infs, sizeof *r.batch) };
    size_t total = 0;
    int result = 0;

    if (r.batch == NULL)
        return v2v_fail_errno(err, errno, "list of INFs");
    for (size_t i = 0; result == 0 && i < count; i++) {
        r.m = media[i];
        r.medium = i;
        result = read_medium(&r, &total, err);
        if (result < 0)
            result = v2v_fail_in(err, "%s", media_name(r.m));
    }
    clear_batch(&r);
    free(r.batch);
    free(r.digests);
    if (result < 0) {
        drivers_catalogue_done(&r.catalogue);
        return -1;
    }
    if (r.catalogue.count > 0)
        qsort(r.catalogue.items, r.catalogue.count, sizeof *r.catalogue.items,
              compare_entries);
    *ret = r.catalogue;
    return 0;
}

void
drivers_catalogue_done(struct drivers_catalogue *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct drivers_entry *entry = &c->items[i];

        for (size_t k = 0; k < entry->place_count; k++)
            place_free(&entry->places[k]);
        free(entry->places);
        free(entry->driver);
        free(entry->inf_name);
        free(entry->error);
        free(entry->class_name);
        free(entry->class_guid);
        free(entry->provider);
        v2v_strings_done(&entry->decorations);
        v2v_strings_done(&entry->hardware_ids);
    }
    free(c->items);
    *c = (struct drivers_catalogue){ 0 };
}

/* ---- names ---- */

static int
add_name(const char *path, struct v2v_strings *names, struct v2v_error *err)
{
    struct place place;
    int result = 0;

    if (place_parse(path, &place, err) < 0)
        return -1;
    if (!names_only_on_request(place.driver) &&
        !v2v_strings_has_nocase(names, place.driver))
        result = v2v_strings_add(names, place.driver, err);
    place_done(&place);
    return result;
}

static int
compare_names(const void *a, const void *b)
{
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

int
drivers_all_names(struct media *const *media, size_t count,
                  struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < media_count(media[i]); k++) {
            const char *path = media_at(media[i], k)->path;

            if (!v2v_has_suffix_nocase(path, ".inf"))
                continue;
            if (add_name(path, &names, err) < 0)
                return -1;
            if (names.count > DRIVERS_MAX_INFS)
                return v2v_fail(err, V2V_ERR_FORMAT, "%s: more than %d drivers",
                                media_name(media[i]), DRIVERS_MAX_INFS);
        }
    }
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    *ret = names;
    names = (struct v2v_strings){ 0 };
    return 0;
}
