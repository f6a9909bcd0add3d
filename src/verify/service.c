/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "verify/internal.h"
#include "verify/pe.h"

/* Source: Microsoft, "CM_Services registry tree": SERVICE_KERNEL_DRIVER. */
enum { KERNEL_DRIVER = 1 };

/* Drivers have some hundred KiB. */
static const size_t driver_max = 64 << 20;

/* One service while it is looked at. */
struct look {
    struct verify *v;
    const struct verify_driver *driver;
    const char *set;
};

static int
check_type(const struct look *look, struct v2v_error *err)
{
    const struct verify_driver *driver = look->driver;

    if (driver->type == KERNEL_DRIVER)
        return verify_holds(look->v, "service-type", driver->key, err,
                            "a kernel driver");
    if (driver->type == VERIFY_NO_NUMBER)
        return verify_found(look->v, "service-wrong-type", driver->key, err,
                            "it has no Type");
    return verify_found(look->v, "service-wrong-type", driver->key, err,
                        "its Type is %u, and a kernel driver's is 1",
                        driver->type);
}

static int
check_start(const struct look *look, struct v2v_error *err)
{
    const struct verify_driver *driver = look->driver;

    if (driver->start == VERIFY_DISABLED)
        return verify_found(look->v, "service-disabled", driver->key, err,
                            "its Start is 4: disabled");
    if (driver->start == VERIFY_NO_NUMBER)
        return verify_found(look->v, "service-not-boot-start", driver->key, err,
                            "it has no Start");
    if (driver->start != VERIFY_BOOT_START)
        return verify_found(look->v, "service-not-boot-start", driver->key, err,
                            "its Start is %u: it is not loaded before the disk "
                            "can be read",
                            driver->start);
    if (driver->override != NULL)
        return verify_found(look->v, "start-override", driver->key, err,
                            "its Start is 0, but StartOverride\\%s turns it "
                            "off",
                            driver->override);
    return verify_holds(look->v, "service-start", driver->key, err,
                        "Start is 0, and nothing overrides it");
}

/* A driver without a group that is known loads after all those with one: after
 * those that want its disk, perhaps.
 * Source: Microsoft, "Specifying driver load order". */
static int
check_group(const struct look *look, struct v2v_error *err)
{
    const char *key = look->driver->key;
    V2V_AUTO(strings) struct v2v_strings known = { 0 };
    V2V_AUTO(mem) char *group = NULL;
    V2V_AUTO(mem)
    char *order = v2v_format(err, "%s\\Control\\ServiceGroupOrder", look->set);

    if (order == NULL)
        return -1;
    if (reg_get_string(look->v->system, key, "Group", &group, NULL) < 0 ||
        group[0] == '\0')
        return verify_found(look->v, "service-no-group", key, err,
                            "it has no Group: it loads last");
    if (reg_get_strings(look->v->system, order, "List", &known, NULL) < 0)
        return verify_unknown(look->v, "service-group", key, err,
                              "%s has no List", order);
    if (!v2v_strings_has_nocase(&known, group))
        return verify_found(look->v, "service-no-group", key, err,
                            "its Group \"%s\" is not in ServiceGroupOrder: it "
                            "loads last",
                            group);
    return verify_holds(look->v, "service-group", key, err, "Group \"%s\"",
                        group);
}

/* Where a driver's imports are looked for, below the system root.  The kernel
 * and its hardware layer are in System32 itself; all others beside the drivers
 * first, as storport.sys is. */
static const char *const import_places[] = { "System32/drivers", "System32" };

/* API sets are names, not files.
 * Source: Microsoft, "Windows API sets". */
static bool
is_api_set(const char *name)
{
    return v2v_has_prefix_nocase(name, "api-") ||
           v2v_has_prefix_nocase(name, "ext-");
}

/* Beside @driver, or in one of those places?  1, 0 or -1. */
static int
has_import(struct verify *v, const char *driver, const char *name,
           struct v2v_error *err)
{
    size_t dir_len = (size_t)(v2v_base_name(driver) - driver);
    V2V_AUTO(mem)
    char *beside = v2v_format(err, "%.*s%s", (int)dir_len, driver, name);

    for (size_t i = 0; i < sizeof import_places / sizeof *import_places; i++) {
        V2V_AUTO(mem)
        char *path = v2v_format(err, "%s/%s/%s", v->in->facts->system_root,
                                import_places[i], name);
        int found = path == NULL ? -1 : verify_has_content(v, path, err);

        if (found != 0)
            return found;
    }
    return beside == NULL ? -1 : verify_has_content(v, beside, err);
}

/* The kernel is a link of its own. */
static bool
is_judged_elsewhere(const char *name)
{
    return v2v_equal_nocase(name, "ntoskrnl.exe") || is_api_set(name);
}

static int
check_imports(struct verify *v, const char *path, const struct pe_image *image,
              struct v2v_error *err)
{
    for (size_t i = 0; i < image->imports.count; i++) {
        const char *name = image->imports.items[i];
        int found;

        if (is_judged_elsewhere(name))
            continue;
        found = verify_is_file_name(name, strlen(name))
                    ? has_import(v, path, name, err)
                    : 0;
        if (found < 0)
            return -1;
        if (found == 0)
            return verify_found(v, "import-missing", path, err,
                                "it imports from %s, which is neither in "
                                "System32\\drivers nor in System32, or empty",
                                name);
    }
    return verify_holds(v, "driver-imports", path, err,
                        "all %zu files that it imports from are there",
                        image->imports.count);
}

/* @ret: a machine's name, or its number. */
static int
name_machine(uint16_t machine, char **ret, struct v2v_error *err)
{
    const char *name = pe_machine_name(machine);

    *ret = name != NULL ? v2v_strdup(name, err)
                        : v2v_format(err, "machine 0x%04x", machine);
    return *ret == NULL ? -1 : 0;
}

/* What the headers say, and whether imports are worth a look: 1, 0 or -1. */
static int
check_image(struct verify *v, const char *path, const struct pe_image *image,
            struct v2v_error *err)
{
    const struct facts *facts = v->in->facts;
    V2V_AUTO(mem) char *machine = NULL;

    if (name_machine(image->machine, &machine, err) < 0)
        return -1;
    if (image->machine != pe_machine_of(facts->target.arch))
        return verify_found(v, "driver-wrong-machine", path, err,
                            "it is built for %s, and this Windows is %s",
                            machine, inf_arch_name(facts->target.arch));
    if (facts->hvci && image->writable_code)
        return verify_found(v, "driver-writable-code", path, err,
                            "memory integrity is on, and a section of it is "
                            "both writable and executable");
    if (verify_holds(v, "driver-file", path, err, "a PE image for %s",
                     machine) < 0)
        return -1;
    return 1;
}

/* What comes after a link that is broken, of which the last one says why. */
static int
hides(struct verify *v, const char *link, const char *subject,
      struct v2v_error *err)
{
    const struct verify_link *broken = &v->result->links[v->result->count - 1];

    return verify_unknown(v, link, subject, err, "see %s: %s", broken->link,
                          broken->code != NULL ? broken->code->name
                                               : broken->text);
}

static int
check_file(struct verify *v, const char *path, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes file = { 0 };
    V2V_AUTO(pe_image) struct pe_image image = { 0 };
    struct v2v_error why;
    int sound;

    if (guest_read(v->in->guest, path, driver_max, &file, &why) < 0) {
        if (why.code == V2V_ERR_INTERNAL) {
            *err = why;
            return -1;
        }
        sound = verify_unknown(v, "driver-file", path, err, "%s", why.text);
    } else if (pe_read(file.data, file.len, &image, &why) < 0) {
        sound =
            why.code == V2V_ERR_INTERNAL
                ? v2v_fail(err, why.code, "%s", why.text)
                : verify_found(v, "driver-not-pe", path, err, "%s", why.text);
    } else {
        sound = check_image(v, path, &image, err);
    }
    if (sound < 0)
        return -1;
    return sound == 0 ? hides(v, "driver-imports", path, err)
                      : check_imports(v, path, &image, err);
}

/* ImagePath, and the file that it names: 1 when that is there, 0 or -1 */
static int
check_path(const struct look *look, struct v2v_error *err)
{
    const struct verify_driver *driver = look->driver;
    int found, told = 0;

    if (driver->path == NULL)
        return verify_found(look->v, "image-path-refused", driver->key, err,
                            "%s", driver->bad_path);
    found = verify_has_file(look->v, driver->path, err);
    if (found == 0)
        told = verify_missed(look->v, "service-image", driver, err);
    if (found < 0 || told != 0)
        return found < 0 || told < 0 ? -1 : 0;
    if (found == 0)
        return verify_found(look->v, "driver-file-missing", driver->key, err,
                            "its file %s is not there", driver->path);
    if (verify_holds(look->v, "service-image", driver->key, err,
                     "its file is %s", driver->path) < 0)
        return -1;
    return 1;
}

static int
check_all(const struct look *look, char **ret, struct v2v_error *err)
{
    const struct verify_driver *driver = look->driver;
    int found;

    if (verify_holds(look->v, "service", driver->key, err,
                     "the service is there") < 0 ||
        check_type(look, err) < 0 || check_start(look, err) < 0 ||
        check_group(look, err) < 0)
        return -1;
    found = check_path(look, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return hides(look->v, "driver-file", driver->key, err);
    /* of another control set too, mostly */
    if (!verify_is_judged(look->v, driver->path) &&
        check_file(look->v, driver->path, err) < 0)
        return -1;
    *ret = v2v_strdup(driver->path, err);
    return *ret == NULL ? -1 : 0;
}

int
verify_service(struct verify *v, const struct verify_control_set *set,
               const char *name, char **ret, struct v2v_error *err)
{
    V2V_AUTO(verify_driver) struct verify_driver driver = { 0 };
    const struct look look = { v, &driver, set->name };

    *ret = NULL;
    if (verify_driver_read(v, set->name, name, &driver, err) < 0)
        return -1;
    if (driver.exists)
        return check_all(&look, ret, err);
    if (verify_found(v, "service-missing", driver.key, err,
                     "there is no such service, or an empty one") < 0)
        return -1;
    return hides(v, "driver-file", driver.key, err);
}
