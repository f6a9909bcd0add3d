/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "verify/internal.h"

void
verify_driver_done(struct verify_driver *driver)
{
    free(driver->key);
    free(driver->override);
    free(driver->path);
    free(driver->bad_path);
    *driver = (struct verify_driver){ 0 };
}

bool
verify_is_file_name(const char *name, size_t len)
{
    if (len == 0 || (len == 2 && memcmp(name, "..", 2) == 0) ||
        (len == 1 && name[0] == '.'))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || strchr("/\\:*?\"<>|", name[i]))
            return false;
    return true;
}

bool
verify_is_path(const char *path)
{
    for (;;) {
        size_t len = strcspn(path, "\\");

        if (!verify_is_file_name(path, len))
            return false;
        if (path[len] == '\0')
            return true;
        path += len + 1;
    }
}

/* Past @prefix, or NULL. */
static const char *
after(const char *s, const char *prefix)
{
    return v2v_has_prefix_nocase(s, prefix) ? s + strlen(prefix) : NULL;
}

/* What @image names below the system volume's root (@in_root: below the system
 * root), or NULL.  The kernel takes a path without a leading '\' as one below
 * \SystemRoot. */
static const char *
below_root(const struct verify *v, const char *image, bool *in_root)
{
    static const char *const roots[] = { "\\SystemRoot\\", "%SystemRoot%\\" };
    const char *rest;

    *in_root = true;
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if ((rest = after(image, roots[i])) != NULL)
            return rest;
    rest = after(image, "\\??\\");
    image = rest != NULL ? rest : image;
    if (image[0] != '\0' && image[1] == ':') {
        const char drive[] = { v->in->facts->system_path[0], ':', '\\', '\0' };

        *in_root = false;
        return after(image, drive);
    }
    return rest == NULL && image[0] != '\\' ? image : NULL;
}

static int
set_path(struct verify *v, const char *image, struct verify_driver *driver,
         struct v2v_error *err)
{
    bool in_root;
    const char *rest = below_root(v, image, &in_root);

    if (rest == NULL || !verify_is_path(rest)) {
        driver->bad_path = v2v_format(
            err, "its ImagePath \"%s\" names no file of the system volume",
            image);
        return driver->bad_path == NULL ? -1 : 0;
    }
    driver->path =
        in_root ? v2v_format(err, "%s/%s", v->in->facts->system_root, rest)
                : v2v_strdup(rest, err);
    if (driver->path == NULL)
        return -1;
    v2v_replace_char(driver->path, '\\', '/');
    return 0;
}

/* Without ImagePath the file has the service's name.
 * Source: service Wof (Start 0), in hives of Windows 8.1 to 10 2004. */
static int
find_path(struct verify *v, const char *name, struct verify_driver *driver,
          struct v2v_error *err)
{
    V2V_AUTO(mem) char *image = NULL;
    struct v2v_error why;

    if (reg_get_string(v->system, driver->key, "ImagePath", &image, &why) < 0 &&
        why.code == V2V_ERR_FORMAT) {
        driver->bad_path = v2v_strdup("its ImagePath is no string", err);
        return driver->bad_path == NULL ? -1 : 0;
    }
    if (image == NULL || image[0] == '\0') {
        free(image);
        image = v2v_format(err, "System32\\drivers\\%s.sys", name);
        if (image == NULL)
            return -1;
    }
    return set_path(v, image, driver, err);
}

static uint32_t
number(struct verify *v, const char *key, const char *name)
{
    uint32_t value;

    return reg_get_dword(v->system, key, name, &value, NULL) < 0
               ? VERIFY_NO_NUMBER
               : value;
}

/* A driver without its device is stamped by Windows with 3 under the machine's
 * number: it is then not loaded at boot.  Which number counts is not known for
 * certain: any that is not 0.
 * Source: hives of Windows 8.1 to 10 2004; Azure/SAP-on-Azure-Scripts,
 * NVMe-Conversion, which deletes all of them. */
static int
find_override(struct verify *v, struct verify_driver *driver,
              struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(mem)
    char *key = v2v_format(err, "%s\\StartOverride", driver->key);

    if (key == NULL)
        return -1;
    if (reg_value_names(v->system, key, &names, NULL) < 0)
        return 0;
    for (size_t i = 0; i < names.count; i++) {
        uint32_t value = number(v, key, names.items[i]);

        if (value == 0 || value == VERIFY_NO_NUMBER)
            continue;
        driver->override = v2v_strdup(names.items[i], err);
        return driver->override == NULL ? -1 : 0;
    }
    return 0;
}

int
verify_driver_read(struct verify *v, const char *set, const char *name,
                   struct verify_driver *ret, struct v2v_error *err)
{
    ret->key = v2v_format(err, "%s\\Services\\%s", set, name);
    if (ret->key == NULL)
        return -1;
    ret->type = number(v, ret->key, "Type");
    ret->start = number(v, ret->key, "Start");
    ret->error_control = number(v, ret->key, "ErrorControl");
    /* uninstallers leave keys with nothing but Parameters */
    ret->exists =
        ret->type != VERIFY_NO_NUMBER || ret->start != VERIFY_NO_NUMBER;
    if (!ret->exists)
        return 0;
    if (find_override(v, ret, err) < 0)
        return -1;
    return find_path(v, name, ret, err);
}

/* The directory of most drivers is listed once: each question to the appliance
 * takes its time. */
static int
list_drivers(struct verify *v, const char *dir, struct v2v_error *err)
{
    struct v2v_error why;

    if (v->listed)
        return 0;
    v->listed = true;
    if (guest_list(v->in->guest, dir, &v->driver_files, &why) == 0 ||
        why.code == V2V_ERR_NOT_FOUND || why.code == V2V_ERR_GUEST)
        return 0;
    *err = why;
    return -1;
}

/* @empty: is one without content a file too? */
static int
is_there(struct verify *v, const char *path, bool empty, struct v2v_error *err)
{
    struct guest_stat st;

    if (guest_stat(v->in->guest, path, &st, err) < 0)
        return err->code == V2V_ERR_GUEST ? 1 : -1;
    return st.exists && !st.is_dir && (empty || st.reparse || st.size > 0);
}

int
verify_has_file(struct verify *v, const char *path, struct v2v_error *err)
{
    return is_there(v, path, true, err);
}

int
verify_has_content(struct verify *v, const char *path, struct v2v_error *err)
{
    return is_there(v, path, false, err);
}

int
verify_is_listed(struct verify *v, const char *path, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *dir =
        v2v_format(err, "%s/System32/drivers/", v->in->facts->system_root);
    const char *name;

    if (dir == NULL)
        return -1;
    name = after(path, dir);
    if (name == NULL || strchr(name, '/') != NULL)
        return verify_has_file(v, path, err);
    if (list_drivers(v, dir, err) < 0)
        return -1;
    if (v2v_strings_has_nocase(&v->driver_files, name))
        return 1;
    /* not in the list: a listing that was refused, or really absent */
    return v->driver_files.count > 0 ? 0 : verify_has_file(v, path, err);
}

int
verify_missed(struct verify *v, const char *link,
              const struct verify_driver *driver, struct v2v_error *err)
{
    if (driver->path == NULL)
        return 0;
    if (!v2v_strings_has_nocase(&v->missed, driver->path))
        return v2v_strings_add(&v->missed, driver->path, err);
    return verify_unknown(v, link, driver->key, err,
                          "its file %s is missed in another control set "
                          "already",
                          driver->path) < 0
               ? -1
               : 1;
}
