/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PendingFileRenameOperations: what the session manager renames and deletes at
 * the next boot, before anything else runs but after the boot drivers.  Most
 * installed Windows have some, and only those matter that touch a driver which
 * injection writes, or take one away that the boot disk needs.
 *
 * Source: Microsoft, "MoveFileEx function": pairs of strings, each "\??\" and a
 * path; an empty second one deletes, '!' before it replaces.  "*1", "*2" before
 * a path were read in Windows 10 hives. */
#include <ctype.h>
#include <string.h>

#include "check/internal.h"

/* What a hostile hive can make of it: far above any real list.  The first that
 * touch a driver stand for all. */
enum { RENAMES_MAX = 8192, FOUND_MAX = 8 };

/* A pair, as it stands and below the Windows folder, lower case, with '/'. */
struct renames {
    struct v2v_strings from, to;           /* the same count */
    struct v2v_strings from_path, to_path; /* "": elsewhere */
    const char *value;                     /* whose they are */
};

static void
renames_done(struct renames *r)
{
    v2v_strings_done(&r->from);
    v2v_strings_done(&r->to);
    v2v_strings_done(&r->from_path);
    v2v_strings_done(&r->to_path);
}

static const char *
skip(const char *text, const char *prefix)
{
    return v2v_has_prefix_nocase(text, prefix) ? text + strlen(prefix) : text;
}

/* "!\??\C:\Windows\System32\a.sys" -> "system32/a.sys" */
static int
add_path(const struct check *check, const char *text, struct v2v_strings *ret,
         struct v2v_error *err)
{
    const char *windows = check->in->facts->system_path;
    V2V_AUTO(mem) char *path = NULL;
    const char *at = text;
    bool below = false;

    while (*at == '!' || *at == '*' || isdigit((unsigned char)*at))
        at++;
    at = skip(at, "\\??\\");
    if (v2v_has_prefix_nocase(at, "\\SystemRoot\\")) {
        at += strlen("\\SystemRoot");
        below = true;
    } else if (v2v_has_prefix_nocase(at, windows)) {
        at += strlen(windows);
        below = true;
    }
    path = v2v_strdup(below && *at == '\\' ? at + 1 : "", err);
    if (path == NULL)
        return -1;
    v2v_lower(path);
    v2v_replace_char(path, '\\', '/');
    return v2v_strings_add(ret, path, err);
}

/* The list's strings one by one, empty ones too. */
static int
split(const struct check *check, const struct v2v_bytes *data,
      struct renames *ret, struct v2v_error *err)
{
    size_t at = 0;

    for (size_t i = 0; at + 2 <= data->len && i < 2 * RENAMES_MAX; i++) {
        struct v2v_strings *texts = i % 2 == 0 ? &ret->from : &ret->to;
        struct v2v_strings *paths =
            i % 2 == 0 ? &ret->from_path : &ret->to_path;
        V2V_AUTO(mem) char *text = NULL;
        size_t end = at;

        while (end + 2 <= data->len && (data->data[end] | data->data[end + 1]))
            end += 2;
        if (end == at && i % 2 == 0)
            break; /* the end: no source is empty */
        text = v2v_utf8_from_utf16(data->data + at, end - at, err);
        if (text == NULL || v2v_strings_add(texts, text, err) < 0 ||
            add_path(check, text, paths, err) < 0)
            return -1;
        at = end + 2;
    }
    if (ret->from.count == ret->to.count)
        return 0;
    return v2v_strings_add(&ret->to, "", err) < 0 ||
                   v2v_strings_add(&ret->to_path, "", err) < 0
               ? -1
               : 0;
}

/* ---- whose files */

static const char drivers_folder[] = "system32/drivers/";
static const char store_folder[] = "system32/driverstore/filerepository/";

static bool
is_chosen_file(const struct drivers_choice *choice, const char *name)
{
    for (size_t i = 0; choice != NULL && i < choice->count; i++)
        for (size_t f = 0; f < choice->items[i].file_count; f++)
            if (v2v_equal_nocase(v2v_base_name(choice->items[i].files[f].name),
                                 name))
                return true;
    return false;
}

/* "viostor.inf_amd64_..." or a file in it */
static bool
is_package_of(const char *inf, const char *name)
{
    return v2v_has_prefix_nocase(name, inf) && name[strlen(inf)] == '_';
}

/* What injection writes, or another installation of the same drivers. */
static bool
is_virtio_file(const struct check *check, const char *path)
{
    bool driver = v2v_has_prefix_nocase(path, drivers_folder);
    bool store = v2v_has_prefix_nocase(path, store_folder);
    const struct check_virtio_driver *d;
    const char *name;

    if (!driver && !store)
        return false;
    name = path + strlen(driver ? drivers_folder : store_folder);
    for (d = check_virtio_drivers; d->driver != NULL; d++)
        if (driver ? d->file != NULL && v2v_equal_nocase(d->file, name)
                   : is_package_of(d->inf, name))
            return true;
    return driver && is_chosen_file(check->in->choice, name);
}

/* What a boot disk on virtio cannot do without; updates replace them so. */
static bool
is_needed_file(const char *path)
{
    static const char *const files[] = {
        "storport.sys", "disk.sys",   "classpnp.sys", "partmgr.sys",
        "volmgr.sys",   "ftdisk.sys", "mountmgr.sys", "pci.sys",
    };

    if (!v2v_has_prefix_nocase(path, drivers_folder))
        return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (v2v_equal_nocase(files[i], path + strlen(drivers_folder)))
            return true;
    return false;
}

/* ---- what becomes of them */

static int
check_rename(struct check *check, const struct renames *r, size_t i,
             struct v2v_error *err)
{
    const char *from = r->from_path.items[i], *to = r->to_path.items[i];
    bool put_back = *from != '\0' && v2v_strings_has_nocase(&r->to_path, from);

    if (is_virtio_file(check, to))
        return check_found(check, "rename-pending", err,
                           "SYSTEM\\%s\\Control\\Session Manager: %s replaces "
                           "%s with %s at the next boot",
                           check->control_set, r->value, r->to.items[i],
                           r->from.items[i]);
    if (put_back || (!is_virtio_file(check, from) && !is_needed_file(from)))
        return 0;
    return check_found(check, "rename-pending", err,
                       "SYSTEM\\%s\\Control\\Session Manager: %s %s %s at the "
                       "next boot",
                       check->control_set, r->value,
                       r->to.items[i][0] == '\0' ? "deletes" : "moves away",
                       r->from.items[i]);
}

static int
check_value(struct check *check, const char *key, struct renames *r,
            struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;
    size_t before;
    int has = check_get(check->system, key, r->value, &type, &data, err);

    if (has <= 0)
        return has;
    if (type != REG_MULTI_SZ)
        return 0;
    if (split(check, &data, r, err) < 0)
        return -1;
    before = check->result->count;
    for (size_t i = 0;
         i < r->from.count && check->result->count - before < FOUND_MAX; i++)
        if (check_rename(check, r, i, err) < 0)
            return -1;
    return 0;
}

int
check_renames(struct check *check, struct v2v_error *err)
{
    static const char *const values[] = { "PendingFileRenameOperations",
                                          "PendingFileRenameOperations2" };
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Control\\Session Manager", check->control_set);
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof values / sizeof *values; i++) {
        struct renames renames = { .value = values[i] };

        result = check_value(check, key, &renames, err);
        renames_done(&renames);
    }
    return result;
}
