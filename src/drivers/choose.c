/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/drivers.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"
#include "drivers/directories.h"
#include "drivers/package.h"

/* DRIVER/OS/ARCH holds one driver.  ARCH/OS is shared by several, where an INF
 * is a driver's by its name. */
enum layout { layout_driver_first, layout_arch_first, layout_count };

static const char no_place[] = "the medium has no ";

struct chooser {
    struct media *m;
    const struct drivers_guest *guest;
    const char *const *directories;
    struct v2v_bytes *infs; /* [i]: content of medium file i; empty unless it
                             * is an INF of a driver that was asked for */
    struct drivers_choice choice;
    struct package_origin *origins; /* [i]: of choice.items[i] */
};

/* A directory of the medium that is tried for a driver. */
struct place {
    const char *driver;    /* as asked for */
    const char *directory; /* "2k22" */
    enum layout layout;
    char *path; /* "viostor/2k22/amd64", not as the medium spells it */
};

static size_t
stem_length(const char *file_name)
{
    return strlen(file_name) - strlen(".inf");
}

static bool
is_inf_named(const char *file_name, const char *stem)
{
    return v2v_has_suffix_nocase(file_name, ".inf") &&
           stem_length(file_name) == strlen(stem) &&
           v2v_has_prefix_nocase(file_name, stem);
}

/* The file's name when it lies directly in @folder, or NULL. */
static const char *
name_in(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    if (!v2v_has_prefix_nocase(path, folder) || path[len] != '/' ||
        strchr(path + len + 1, '/') != NULL)
        return NULL;
    return path + len + 1;
}

/* May medium file @path be an INF of one of the drivers asked for? */
static bool
is_asked_for(const char *path, const struct v2v_strings *names)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL || !v2v_has_suffix_nocase(path, ".inf"))
        return false;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];

        if ((v2v_has_prefix_nocase(path, name) && path[strlen(name)] == '/') ||
            is_inf_named(slash + 1, name))
            return true;
    }
    return false;
}

static int
load_infs(struct chooser *c, const struct v2v_strings *names,
          struct v2v_error *err)
{
    size_t total = media_count(c->m), count = 0;
    V2V_AUTO(mem) size_t *indexes = calloc(total + 1, sizeof *indexes);
    V2V_AUTO(mem)
    struct v2v_bytes *loaded = calloc(total + 1, sizeof *loaded);

    c->infs = calloc(total + 1, sizeof *c->infs);
    if (indexes == NULL || loaded == NULL || c->infs == NULL)
        return v2v_fail_errno(err, errno, "%s", media_name(c->m));
    for (size_t i = 0; i < total; i++) {
        const struct media_file *file = media_at(c->m, i);

        if (file->size <= PACKAGE_MAX_INF && is_asked_for(file->path, names))
            indexes[count++] = i;
    }
    if (media_load(c->m, indexes, count, loaded, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        c->infs[indexes[i]] = loaded[i];
    return 0;
}

/* "a; b; the medium has no c, d", new */
static char *
join(const struct v2v_strings *list, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    bool absent = false;

    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        bool also_absent = absent;

        absent = v2v_has_prefix_nocase(item, no_place);
        also_absent &= absent;
        if (v2v_bytes_printf(&text, err, "%s%s",
                             i == 0        ? ""
                             : also_absent ? ", "
                                           : "; ",
                             also_absent ? item + strlen(no_place) : item) < 0)
            return NULL;
    }
    return v2v_strndup(text.len > 0 ? (const char *)text.data : "", text.len,
                       err);
}

/* @passed: why the better directories were passed over */
static int
say_why(const struct place *place, const struct v2v_strings *passed,
        const struct drivers_guest *guest, struct driver_package *package,
        struct v2v_error *err)
{
    V2V_AUTO(mem) char *reasons = join(passed, err);

    if (reasons == NULL)
        return -1;
    if (passed->count == 0)
        package->why =
            v2v_format(err, "%s is the directory for %s", place->directory,
                       directory_label(place->directory));
    else
        package->why = v2v_format(
            err, "%s; %s is the next one and its INF accepts build %u", reasons,
            package->source, guest->target.build);
    return package->why != NULL ? 0 : -1;
}

/* The driver's name as the medium spells it. */
static int
name_driver(const struct place *place, struct driver_package *package,
            struct v2v_error *err)
{
    if (place->layout == layout_driver_first)
        package->driver =
            v2v_strndup(package->source, strcspn(package->source, "/"), err);
    else
        package->driver =
            v2v_strndup(package->inf_name, stem_length(package->inf_name), err);
    return package->driver != NULL ? 0 : -1;
}

static int
keep_package(struct chooser *c, struct driver_package *package,
             struct package_origin *origin, struct v2v_error *err)
{
    size_t count = c->choice.count;
    struct driver_package *items =
        realloc(c->choice.items, (count + 1) * sizeof *items);
    struct package_origin *origins;

    if (items == NULL)
        return v2v_fail_errno(err, errno, "list of packages");
    c->choice.items = items;
    origins = realloc(c->origins, (count + 1) * sizeof *origins);
    if (origins == NULL)
        return v2v_fail_errno(err, errno, "list of packages");
    c->origins = origins;
    items[count] = *package;
    origins[count] = *origin;
    c->choice.count++;
    *package = (struct driver_package){ 0 };
    *origin = (struct package_origin){ 0 };
    return 0;
}

/* Returns 1 when the INF was taken, 0 and a new reason in @rejects, or -1. */
static int
try_inf(struct chooser *c, const struct place *place, size_t index,
        const struct v2v_strings *passed, struct v2v_strings *rejects,
        struct v2v_error *err)
{
    V2V_AUTO(package) struct driver_package package = { 0 };
    V2V_AUTO(origin) struct package_origin origin = { 0 };
    V2V_AUTO(mem) char *reject = NULL;
    const struct media_file *file = media_at(c->m, index);
    int result;

    if (file->size > PACKAGE_MAX_INF)
        return v2v_fail(err, V2V_ERR_FORMAT, "larger than %d KiB",
                        PACKAGE_MAX_INF >> 10);
    result = package_read(&c->infs[index], file->path, c->guest, &package,
                          &reject, err);
    if (result == 0)
        return v2v_strings_add(rejects, reject, err);
    if (result < 0 ||
        package_list_files(c->m, index, c->guest, &package, &origin, err) < 0 ||
        name_driver(place, &package, err) < 0 ||
        say_why(place, passed, c->guest, &package, err) < 0 ||
        keep_package(c, &package, &origin, err) < 0)
        return -1;
    return 1;
}

static bool
is_inf_of(const struct place *place, const char *name)
{
    return place->layout == layout_driver_first
               ? v2v_has_suffix_nocase(name, ".inf")
               : is_inf_named(name, place->driver);
}

static int
say_absent(const struct place *place, bool has_files,
           struct v2v_strings *rejects, struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = NULL;

    /* the copies in ARCH/OS are never missed */
    if (place->layout != layout_driver_first)
        return 0;
    text = has_files ? v2v_format(err, "%s has no INF", place->path)
                     : v2v_format(err, "%s%s", no_place, place->path);
    return text != NULL ? v2v_strings_add(rejects, text, err) : -1;
}

/* Returns 1 when a package was taken, 0 and why not in @rejects, or -1. */
static int
try_place(struct chooser *c, const struct place *place,
          const struct v2v_strings *passed, struct v2v_strings *rejects,
          struct v2v_error *err)
{
    bool taken = false, has_infs = false, has_files = false;

    for (size_t i = 0; i < media_count(c->m); i++) {
        const char *path = media_at(c->m, i)->path;
        const char *name = name_in(path, place->path);
        int result;

        if (name == NULL)
            continue;
        has_files = true;
        if (!is_inf_of(place, name))
            continue;
        has_infs = true;
        result = try_inf(c, place, i, passed, rejects, err);
        if (result < 0)
            return v2v_fail_in(err, "%s: %s", media_name(c->m), path);
        taken |= result > 0;
    }
    if (!has_infs && say_absent(place, has_files, rejects, err) < 0)
        return -1;
    return taken;
}

static char *
path_of(const struct place *place, enum inf_arch arch, struct v2v_error *err)
{
    const char *arch_name = inf_arch_name(arch);

    if (place->layout == layout_driver_first)
        return v2v_format(err, "%s/%s/%s", place->driver, place->directory,
                          arch_name);
    return v2v_format(err, "%s/%s", arch_name, place->directory);
}

static int
add_all(struct v2v_strings *list, const struct v2v_strings *more,
        struct v2v_error *err)
{
    for (size_t i = 0; i < more->count; i++) {
        if (v2v_strings_add(list, more->items[i], err) < 0)
            return -1;
    }
    return 0;
}

/* Returns 1 when packages were taken, 0 and why none was in @passed, or -1. */
static int
try_layout(struct chooser *c, const char *name, enum layout layout,
           struct v2v_strings *passed, struct v2v_error *err)
{
    for (size_t i = 0; c->directories[i] != NULL; i++) {
        V2V_AUTO(strings) struct v2v_strings rejects = { 0 };
        struct place place = { .driver = name,
                               .directory = c->directories[i],
                               .layout = layout };
        V2V_AUTO(mem)
        char *path = path_of(&place, c->guest->target.arch, err);
        int result;

        if (path == NULL)
            return -1;
        place.path = path;
        result = try_place(c, &place, passed, &rejects, err);
        if (result != 0)
            return result;
        if (add_all(passed, &rejects, err) < 0)
            return -1;
    }
    return 0;
}

static int
say_missing(struct chooser *c, const char *name,
            const struct v2v_strings *passed, struct v2v_error *err)
{
    V2V_AUTO(mem) char *why = join(passed, err);

    if (why == NULL || v2v_strings_add(&c->choice.missing, name, err) < 0 ||
        v2v_strings_add(&c->choice.missing_why, why, err) < 0)
        return -1;
    v2v_fact("drivers", "%s: nothing for %s: %s", name, c->guest->os_label,
             why);
    return 0;
}

static int
choose_driver(struct chooser *c, const char *name, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings passed = { 0 };
    int result = 0;

    if (c->directories == NULL) {
        const struct inf_target *target = &c->guest->target;
        V2V_AUTO(mem)
        char *why = v2v_format(err, "no directory is known for Windows %u.%u",
                               target->major, target->minor);

        if (why == NULL || v2v_strings_add(&passed, why, err) < 0)
            return -1;
        return say_missing(c, name, &passed, err);
    }
    for (int layout = 0; result == 0 && layout < layout_count; layout++)
        result = try_layout(c, name, (enum layout)layout, &passed, err);
    if (result == 0)
        return say_missing(c, name, &passed, err);
    return result < 0 ? -1 : 0;
}

static int
choose_all(struct chooser *c, const struct v2v_strings *names,
           struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings seen = { 0 };

    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];

        if (v2v_strings_has_nocase(&seen, name))
            continue;
        if (v2v_strings_add(&seen, name, err) < 0 ||
            choose_driver(c, name, err) < 0)
            return -1;
    }
    return 0;
}

/* All packages' files in one pass over the medium. */
static int
load_files(struct chooser *c, struct v2v_error *err)
{
    V2V_AUTO(mem) size_t *indexes = NULL;
    V2V_AUTO(mem) struct v2v_bytes *loaded = NULL;
    size_t total = 0, at = 0;

    for (size_t i = 0; i < c->choice.count; i++)
        total += c->origins[i].count;
    indexes = calloc(total + 1, sizeof *indexes);
    loaded = calloc(total + 1, sizeof *loaded);
    if (indexes == NULL || loaded == NULL)
        return v2v_fail_errno(err, errno, "list of files to load");
    for (size_t i = 0; i < c->choice.count; i++) {
        memcpy(indexes + at, c->origins[i].indexes,
               c->origins[i].count * sizeof *indexes);
        at += c->origins[i].count;
    }
    if (media_load(c->m, indexes, total, loaded, err) < 0)
        return -1;
    at = 0;
    for (size_t i = 0; i < c->choice.count; i++) {
        for (size_t k = 0; k < c->choice.items[i].file_count; k++)
            c->choice.items[i].files[k].data = loaded[at++];
    }
    return 0;
}

static void
report(const struct driver_package *p)
{
    const struct inf_driver_ver *ver = &p->version.driver_ver;

    v2v_fact("drivers",
             "%s: %s/%s, DriverVer %02u/%02u/%04u,%u.%u.%u.%u, signed by %s: "
             "%s",
             p->driver, p->source, p->inf_name, ver->month, ver->day, ver->year,
             ver->version[0], ver->version[1], ver->version[2], ver->version[3],
             p->signer_name != NULL ? p->signer_name : "nobody", p->why);
}

static int
judge_signatures(struct chooser *c, struct v2v_error *err)
{
    for (size_t i = 0; i < c->choice.count; i++) {
        struct driver_package *package = &c->choice.items[i];

        if (package_judge_signature(c->guest, package, err) < 0 ||
            package_identify(package, err) < 0)
            return v2v_fail_in(err, "%s", media_name(c->m));
        report(package);
    }
    return 0;
}

static void
chooser_done(struct chooser *c)
{
    for (size_t i = 0; c->infs != NULL && i < media_count(c->m); i++)
        v2v_bytes_done(&c->infs[i]);
    free(c->infs);
    for (size_t i = 0; i < c->choice.count; i++)
        free(c->origins[i].indexes);
    free(c->origins);
}

int
drivers_choose(struct media *m, const struct drivers_guest *guest,
               const struct v2v_strings *names, struct drivers_choice *ret,
               struct v2v_error *err)
{
    struct chooser c = { .m = m,
                         .guest = guest,
                         .directories = directories_for(&guest->target) };
    int result = 0;

    if (load_infs(&c, names, err) < 0 || choose_all(&c, names, err) < 0 ||
        load_files(&c, err) < 0 || judge_signatures(&c, err) < 0)
        result = -1;
    chooser_done(&c);
    if (result < 0)
        drivers_choice_done(&c.choice);
    else
        *ret = c.choice;
    return result;
}

void
drivers_choice_done(struct drivers_choice *c)
{
    for (size_t i = 0; i < c->count; i++)
        package_done(&c->items[i]);
    free(c->items);
    v2v_strings_done(&c->missing);
    v2v_strings_done(&c->missing_why);
    *c = (struct drivers_choice){ 0 };
}
