/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network card is not needed for booting: Plug and Play installs it once
 * Windows runs, from the driver store, without a question and without the
 * package having been configured (Microsoft, "Driver store").  So everything
 * that an installation reads has to be there. */
#include <string.h>

#include "verify/database.h"
#include "verify/files.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Packages of the class and INFs of a folder that are looked into. */
enum { PACKAGES_MAX = 32, INFS_MAX = 64 };

static const uint8_t net_class[] = { 0x72, 0xe9, 0x36, 0x4d, 0x25, 0xe3,
                                     0xce, 0x11, 0xbf, 0xc1, 0x08, 0x00,
                                     0x2b, 0xe1, 0x03, 0x18 };

static const struct route_step steps[] = {
    { "network-inf", "network-inf-not-registered", look_registered, false },
    { "network-inf-active", "network-inf-not-active", look_active, false },
    { "network-package", "network-package-missing", look_package, false },
    { "network-inf-packages", "network-package-not-listed", look_listed, true },
    { "network-package-version", "network-package-version", look_version,
      true },
    { "package-architecture", "package-architecture", look_architecture, true },
    { "package-class", "package-class", look_class, true },
};

/* ---- Windows 8 and later */

/* Every id of the card that the INF serves leads to the INF. */
static int
check_ids(struct verify *v, const struct match *m, const struct store *store,
          const struct device *device, struct v2v_error *err)
{
    for (size_t i = 0; i < device->ids.count; i++) {
        const char *id = device->ids.items[i];
        V2V_AUTO(mem)
        char *key = v2v_format(err, "DriverDatabase\\DeviceIds\\%s", id);
        V2V_AUTO(bytes) struct v2v_bytes value = { 0 };
        struct v2v_error why;
        uint32_t type;
        int found;

        if (key == NULL)
            return -1;
        if (!store_has_id(store, id))
            continue;
        found = reg_answer(reg_get(m->hive, key, m->inf, &type, &value, &why),
                           &why, err);
        if (found < 0 ||
            (found == 0 &&
             verify_found(v, "network-device-id-missing", key, err,
                          "%s: it does not lead to %s, whose %s serves it",
                          m->node, m->inf, store->inf_name) < 0))
            return -1;
    }
    return 0;
}

static int
check_signatures(struct verify *v, const struct match *m,
                 const struct store *store, struct v2v_error *err)
{
    for (size_t i = 0; i < store->needed.count; i++) {
        V2V_AUTO(mem)
        char *path =
            v2v_format(err, "%s/%s", store->folder, store->needed.items[i]);
        const struct verify_signature question = { .code = "network-signature",
                                                   .link = "network-signature",
                                                   .check_catalog = true,
                                                   .path = path,
                                                   .inf = m->inf };

        if (path == NULL)
            return -1;
        if (!v2v_has_suffix_nocase(path, ".sys"))
            continue;
        if ((store->sound ? verify_signature(v, &question, err)
                          : verify_unknown(v, question.link, path, err,
                                           "depends on the link network-files, "
                                           "which is broken")) < 0)
            return -1;
    }
    return 0;
}

static int
check_package(struct verify *v, const struct match *m,
              const struct device_list *devices, struct v2v_error *err)
{
    const struct store_question question = {
        .folder_link = "network-store",
        .folder_code = "network-store-missing",
        .files_link = "network-files",
        .missing_code = "network-file-missing",
        .altered_code = "network-file-altered",
        .hive = m->hive,
        .inf = m->inf,
        .package = m->package
    };
    V2V_AUTO(store) struct store store = { 0 };
    int found = store_check(v, &question, &store, err);

    if (found <= 0)
        return found < 0 ? -1
                         : verify_unknown(v, "network-signature", m->inf, err,
                                          "depends on the package's files");
    for (size_t i = 0; i < devices->count; i++)
        if (check_ids(v, m, &store, &devices->items[i], err) < 0)
            return -1;
    return check_signatures(v, m, &store, err);
}

static int
follow(struct verify *v, const struct device_list *devices,
       const struct device *device, const struct match *match,
       struct v2v_strings *seen, struct v2v_error *err)
{
    V2V_AUTO(route)
    struct route r = {
        .v = v, .device = device, .match = match, .network = true
    };
    bool inbox;
    int result;

    if (verify_holds(v, "network-device-id", match->id, err, "%s: leads to %s",
                     match->node, match->inf) < 0)
        return -1;
    if (v2v_strings_has_nocase(seen, match->inf))
        return 0;
    if (v2v_strings_add(seen, match->inf, err) < 0 ||
        database_is_inbox(match->hive, match->inf, match->package, &inbox,
                          err) < 0)
        return -1;
    result = route_follow(&r, steps, COUNT(steps), err);
    if (result <= 0)
        return result < 0 ? -1
                          : verify_unknown(v, "network-files", match->inf, err,
                                           "which package it is depends on a "
                                           "link that is broken");
    return inbox ? 0 : check_package(v, match, devices, err);
}

/* A package in the driver store whose INF has the card, though no id leads to
 * it.  1: said; 0: there is none; -1 */
static int
find_unindexed(struct verify *v, const struct device *device,
               struct v2v_error *err)
{
    const struct facts *facts = v->in->facts;
    size_t tried = 0;

    for (size_t i = 0; i < facts->package_count && tried < PACKAGES_MAX; i++) {
        const struct facts_package *p = &facts->packages[i];
        V2V_AUTO(store) struct store store = { 0 };
        V2V_AUTO(mem) char *folder = NULL;
        struct v2v_error why = { 0 };
        const char *id;
        int found;

        if (!p->has_version || *p->inf_name == '\0' ||
            strpbrk(p->inf_name, "\\/:") != NULL ||
            memcmp(p->version + 8, net_class, sizeof net_class) != 0)
            continue;
        tried++;
        folder = store_folder(v, p->name, &why);
        if (folder == NULL)
            continue;
        found = store_read(v, folder, p->inf_name, &store, &why, err);
        if (found < 0)
            return -1;
        id = found > 0 ? store_serves(&store, device) : NULL;
        if (id == NULL)
            continue;
        return verify_found(v, "network-device-id-missing", id, err,
                            "it does not lead to %s, whose %s serves it",
                            p->oem_inf, p->inf_name) < 0
                   ? -1
                   : 1;
    }
    return 0;
}

static int
say_absent(struct verify *v, const struct device *device, struct v2v_error *err)
{
    return verify_found(v,
                        v->in->machine != NULL ? "network-driver-missing"
                                               : "network-driver-absent",
                        device->name, err, "no INF is registered for it");
}

static int
find_in_database(struct verify *v, const struct device_list *devices,
                 struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings seen = { 0 };

    for (size_t i = 0; i < devices->count; i++) {
        const struct device *device = &devices->items[i];
        V2V_AUTO(matches) struct matches matches = { 0 };
        int found = 1;

        if (matches_find(v->drivers, "DRIVERS", device, &matches, err) < 0 ||
            matches_find(v->system, "SYSTEM", device, &matches, err) < 0)
            return -1;
        matches_sort(&matches, false);
        if (matches.count > 0) {
            if (follow(v, devices, device, &matches.items[0], &seen, err) < 0)
                return -1;
            continue;
        }
        /* a match of its other form tells what its package lacks */
        found = find_unindexed(v, device, err);
        if (found < 0 || (found == 0 && say_absent(v, device, err) < 0))
            return -1;
    }
    return 0;
}

/* ---- before Windows 8 */

/* A folder of DevicePath as a path on the system volume; new, or NULL when it
 * is elsewhere. */
static int
folder_in(const struct facts *facts, const char *part, char **ret,
          struct v2v_error *err)
{
    static const char variable[] = "%SystemRoot%";
    size_t len = strlen(facts->system_path);

    *ret = NULL;
    if (v2v_has_prefix_nocase(part, variable))
        *ret = v2v_format(err, "%s%s", facts->system_root,
                          part + strlen(variable));
    else if (len > 0 && v2v_has_prefix_nocase(part, facts->system_path))
        *ret = v2v_format(err, "%s%s", facts->system_root, part + len);
    else if (len > 2 && strncasecmp(part, facts->system_path, 3) == 0)
        *ret = v2v_strdup(part + 3, err);
    else
        return 0;
    if (*ret == NULL)
        return -1;
    v2v_replace_char(*ret, '\\', '/');
    return 0;
}

/* Windows\inf has a thousand of Windows' own. */
static bool
is_candidate(const char *folder, const char *name)
{
    return v2v_has_suffix_nocase(name, ".inf") &&
           (!v2v_has_suffix_nocase(folder, "/inf") ||
            v2v_has_prefix_nocase(name, "oem"));
}

/* 1: an INF of the folder serves the card, which is said; 0; -1 */
static int
find_in_folder(struct verify *v, const char *folder,
               const struct device *device, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error why;
    size_t tried = 0;

    if (guest_list(v->in->guest, folder, &names, &why) < 0)
        return why.code == V2V_ERR_NOT_FOUND || why.code == V2V_ERR_GUEST
                   ? 0
                   : v2v_fail(err, why.code, "%s", why.text);
    for (size_t i = 0; i < names.count && tried < INFS_MAX; i++) {
        V2V_AUTO(store) struct store store = { 0 };
        const char *id;
        int found;

        if (!is_candidate(folder, names.items[i]))
            continue;
        tried++;
        found = store_read(v, folder, names.items[i], &store, &why, err);
        if (found < 0)
            return -1;
        id = found > 0 ? store_serves(&store, device) : NULL;
        if (id != NULL)
            return verify_holds(v, "network-driver", device->name, err,
                                "%s/%s has %s", folder, names.items[i], id) < 0
                       ? -1
                       : 1;
    }
    return 0;
}

static int
find_in_device_path(struct verify *v, const struct device *device,
                    struct v2v_error *err)
{
    const char *list = v->in->facts->device_path;
    V2V_AUTO(mem) char *copy = v2v_strdup(list != NULL ? list : "", err);
    char *rest = copy, *part;

    if (copy == NULL)
        return -1;
    while ((part = strsep(&rest, ";")) != NULL) {
        V2V_AUTO(mem) char *folder = NULL;
        int found;

        if (folder_in(v->in->facts, part, &folder, err) < 0)
            return -1;
        found = folder != NULL ? find_in_folder(v, folder, device, err) : 0;
        if (found != 0)
            return found < 0 ? -1 : 0;
    }
    return verify_found(v, "network-driver-absent", device->name, err,
                        "no INF in the folders of DevicePath serves it: %s",
                        list != NULL ? list : "there are none");
}

int
verify_network(struct verify *v, struct v2v_error *err)
{
    const struct domain_machine *machine = v->in->machine;
    V2V_AUTO(device_list) struct device_list devices = { 0 };

    if (machine != NULL && machine->virtio_nics == 0)
        return verify_holds(v, "network-driver", "domain XML", err,
                            "the machine has no virtio network card");
    if (device_list_make(DEVICE_VIRTIO_NET,
                         machine != NULL ? machine->nic_ids
                                         : DOMAIN_VIRTIO_EITHER,
                         &devices, err) < 0)
        return -1;
    if (v->in->facts->has_driver_database)
        return find_in_database(v, &devices, err);
    for (size_t i = 0; i < devices.count; i++)
        if (find_in_device_path(v, &devices.items[i], err) < 0)
            return -1;
    return 0;
}
