/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "facts/hive.h"
#include "verify/internal.h"

/* Objects and elements.
 * Source: Microsoft, "BCD WMI provider enumerations" (BcdBootMgrElementTypes,
 * BcdLibraryElementTypes, BcdOSLoaderElementTypes). */
#define BOOT_MANAGER "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
#define DEFAULT_OBJECT "23000003"
#define APPLICATION_DEVICE "11000001"
#define APPLICATION_PATH "12000002"
#define OS_DEVICE "21000001"
#define SYSTEM_ROOT "22000002"
#define OS_LOADER 0x10200003U /* Description\Type */

static const size_t largest = 16 << 20; /* a BCD has some 32 KiB */

/* A boot configuration while it is looked at. */
struct look {
    struct verify *v;
    struct reg_hive *hive;
    const struct facts_volume *volume; /* that it is on */
    const char *subject;               /* "partition 1: Boot/BCD" */
    const char *object;                /* the default entry */
};

static int
get_string(const struct look *look, const char *object, const char *element,
           char **ret)
{
    V2V_AUTO(mem)
    char *key = v2v_format(NULL, "Objects\\%s\\Elements\\%s", object, element);

    *ret = NULL;
    return key == NULL ? -1
                       : reg_get_string(look->hive, key, "Element", ret, NULL);
}

/* 1, 0 or -1 */
static int
has_object(const struct look *look, const char *object, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err, "Objects\\%s", object);

    if (key == NULL)
        return -1;
    return verify_is_file_name(object, strlen(object)) &&
                   reg_has_key(look->hive, key, NULL) > 0
               ? 1
               : 0;
}

/* @ret: the default entry; 1 when it is there, 0 or -1 */
static int
check_default(const struct look *look, char **ret, struct v2v_error *err)
{
    struct verify *v = look->v;
    int found = has_object(look, BOOT_MANAGER, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return verify_found(v, "bcd-no-boot-manager", look->subject, err,
                            "it has no entry " BOOT_MANAGER);
    if (get_string(look, BOOT_MANAGER, DEFAULT_OBJECT, ret) < 0)
        return verify_found(v, "bcd-no-default", look->subject, err,
                            "its boot manager has no default entry");
    found = has_object(look, *ret, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return verify_found(v, "bcd-no-default", look->subject, err,
                            "its default entry %s is not there", *ret);
    if (verify_holds(v, "bcd-default", look->subject, err,
                     "the default entry is %s", *ret) < 0)
        return -1;
    return 1;
}

/* "\Windows\system32\winload.exe" as a path below a volume; false: it is none.
 */
static bool
to_path(char *text)
{
    if (text[0] != '\\' || !verify_is_path(text + 1))
        return false;
    memmove(text, text + 1, strlen(text));
    v2v_replace_char(text, '\\', '/');
    return true;
}

static int
check_loader(const struct look *look, struct v2v_error *err)
{
    struct verify *v = look->v;
    V2V_AUTO(mem) char *path = NULL;
    int found;

    if (get_string(look, look->object, APPLICATION_PATH, &path) < 0)
        return verify_found(v, "bcd-loader-missing", look->subject, err,
                            "its default entry %s has no path", look->object);
    /* images that were put together have a boot configuration of elsewhere */
    if (v2v_has_suffix_nocase(path, ".efi") != look->volume->place.esp)
        return verify_unknown(v, "bcd-loader", look->subject, err,
                              "%s is the loader of another firmware than this "
                              "boot partition is for",
                              path);
    found = to_path(path) ? verify_has_content(v, path, err) : 0;
    if (found < 0)
        return -1;
    if (found == 0)
        return verify_found(v, "bcd-loader-missing", look->subject, err,
                            "its default entry names %s, which is not on the "
                            "system volume, or empty",
                            path);
    return verify_holds(v, "bcd-loader", look->subject, err, "%s", path);
}

static int
check_system_root(const struct look *look, struct v2v_error *err)
{
    const char *wanted = look->v->in->facts->system_root;
    V2V_AUTO(mem) char *root = NULL;

    if (get_string(look, look->object, SYSTEM_ROOT, &root) < 0)
        return verify_found(look->v, "bcd-wrong-system-root", look->subject,
                            err, "its default entry %s has no systemroot",
                            look->object);
    if (to_path(root) && v2v_equal_nocase(root, wanted))
        return verify_holds(look->v, "bcd-system-root", look->subject, err,
                            "\\%s", root);
    return verify_found(look->v, "bcd-wrong-system-root", look->subject, err,
                        "systemroot of its default entry is %s, and this "
                        "Windows is in \\%s",
                        root, wanted);
}

/* A device element: 16 bytes of an object's GUID, then a type, flags and a
 * length, then what the type says.  A partition: its id, the disk's kind and
 * table, the disk's id.
 * Source: read in BCDs of Windows 7 to 10; G. Chappell, "Boot environment
 * devices". */
enum {
    DEVICE_AT_TYPE = 16,
    DEVICE_AT_LEN = 24,
    DEVICE_AT_PARTITION = 32,
    DEVICE_AT_TABLE = 52,
    DEVICE_AT_DISK = 56,
    DEVICE_ID_LEN = 16,
    DEVICE_PARTITION_LEN = DEVICE_AT_DISK + DEVICE_ID_LEN,
    DEVICE_BOOT = 5,
    DEVICE_PARTITION = 6,
    DEVICE_LOCATE = 8,
    DEVICE_TABLE_GPT = 0,
    DEVICE_TABLE_MBR = 1,
    SIGNATURE_LEN = 4
};

/* Which disk of the guest does a partition device name?  -1: none of them. */
static int
find_disk(const struct facts *facts, const uint8_t *device)
{
    bool gpt = v2v_get_le(device + DEVICE_AT_TABLE, 4) == DEVICE_TABLE_GPT;
    enum disk_table table = gpt ? DISK_TABLE_GPT : DISK_TABLE_MBR;
    size_t len = gpt ? DEVICE_ID_LEN : SIGNATURE_LEN;

    for (size_t i = 0; i < facts->disk_count; i++)
        if (facts->disks[i].unreadable == NULL &&
            facts->disks[i].table == table &&
            memcmp(facts->disks[i].id, device + DEVICE_AT_DISK, len) == 0)
            return (int)i;
    return -1;
}

static bool
is_partition(const struct facts_volume *volume, const uint8_t *device)
{
    const uint8_t *id = device + DEVICE_AT_PARTITION;

    return v2v_get_le(device + DEVICE_AT_TABLE, 4) == DEVICE_TABLE_GPT
               ? memcmp(volume->place.guid, id, DEVICE_ID_LEN) == 0
               : volume->place.offset == v2v_get_le(id, 8);
}

static const struct facts_volume *
find_volume(const struct facts *facts, unsigned disk, const uint8_t *device)
{
    for (size_t i = 0; i < facts->volume_count; i++)
        if (facts->volumes[i].disk == disk &&
            is_partition(&facts->volumes[i], device))
            return &facts->volumes[i];
    return NULL;
}

/* What a device element comes to. */
struct verdict {
    enum verify_state state;
    char text[200];
};

static struct verdict
judge_partition(const struct look *look, const struct v2v_bytes *element)
{
    const struct facts *facts = look->v->in->facts;
    const struct facts_volume *volume;
    int disk;

    if (element->len < DEVICE_PARTITION_LEN ||
        v2v_get_le(element->data + DEVICE_AT_TABLE, 4) > DEVICE_TABLE_MBR)
        return (struct verdict){ VERIFY_UNKNOWN, "has an unknown form" };
    disk = find_disk(facts, element->data);
    if (disk < 0)
        return (struct verdict){ VERIFY_UNKNOWN,
                                 "is on a disk that is none of those given" };
    volume = find_volume(facts, (unsigned)disk, element->data);
    if (volume == NULL)
        return (struct verdict){ VERIFY_BROKEN,
                                 "is a partition that its disk does not have" };
    if (volume == &facts->volumes[facts->system_volume])
        return (struct verdict){ VERIFY_HOLDS, "is the system volume" };
    if (volume->system_root != NULL)
        return (struct verdict){ VERIFY_UNKNOWN,
                                 "is the volume of another Windows" };
    return (struct verdict){ VERIFY_BROKEN,
                             "is a partition without this Windows" };
}

/* "boot": the volume that the boot manager was started from. */
static struct verdict
judge_boot(const struct look *look)
{
    const struct facts *facts = look->v->in->facts;

    return look->volume == &facts->volumes[facts->system_volume]
               ? (struct verdict){ VERIFY_HOLDS, "is the boot volume" }
               : (struct verdict){ VERIFY_BROKEN,
                                   "is the boot volume, which is not the one "
                                   "of this Windows" };
}

static struct verdict
judge_device(const struct look *look, const char *element)
{
    V2V_AUTO(mem)
    char *key =
        v2v_format(NULL, "Objects\\%s\\Elements\\%s", look->object, element);
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;

    if (key == NULL ||
        reg_get(look->hive, key, "Element", &type, &data, NULL) < 0)
        return (struct verdict){ VERIFY_BROKEN, "is absent" };
    if (data.len < DEVICE_AT_PARTITION)
        return (struct verdict){ VERIFY_UNKNOWN, "has an unknown form" };
    switch (v2v_get_le(data.data + DEVICE_AT_TYPE, 4)) {
    case DEVICE_BOOT:
        return judge_boot(look);
    case DEVICE_PARTITION:
        return judge_partition(look, &data);
    case DEVICE_LOCATE:
        return (struct verdict){ VERIFY_HOLDS, "is looked for by its files" };
    default:
        return (struct verdict){ VERIFY_UNKNOWN, "has an unknown form" };
    }
}

/* One link for both: they are broken together, by who copies a partition. */
static int
check_devices(const struct look *look, struct v2v_error *err)
{
    static const struct {
        const char *element, *name;
    } devices[] = { { APPLICATION_DEVICE, "device" },
                    { OS_DEVICE, "osdevice" } };
    struct verdict worst = { VERIFY_HOLDS, "" };
    const char *name = "";

    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        struct verdict verdict = judge_device(look, devices[i].element);

        if (i > 0 &&
            (worst.state == VERIFY_BROKEN || verdict.state == VERIFY_HOLDS))
            continue;
        worst = verdict;
        name = devices[i].name;
    }
    if (worst.state == VERIFY_BROKEN)
        return verify_found(look->v, "bcd-wrong-device", look->subject, err,
                            "%s of its default entry %s", name, worst.text);
    if (worst.state == VERIFY_UNKNOWN)
        return verify_unknown(look->v, "bcd-device", look->subject, err,
                              "%s of its default entry %s", name, worst.text);
    return verify_holds(look->v, "bcd-device", look->subject, err, "%s %s",
                        name, worst.text);
}

/* An entry that starts something else than a Windows of Vista or later. */
static bool
is_os_loader(const struct look *look)
{
    V2V_AUTO(mem)
    char *key = v2v_format(NULL, "Objects\\%s\\Description", look->object);
    uint32_t type;

    return key == NULL ||
           reg_get_dword(look->hive, key, "Type", &type, NULL) < 0 ||
           type == OS_LOADER;
}

static int
check_entry(const struct look *look, struct v2v_error *err)
{
    if (!is_os_loader(look))
        return verify_unknown(look->v, "bcd-loader", look->subject, err,
                              "its default entry %s does not start a Windows "
                              "of Vista or later",
                              look->object);
    return check_loader(look, err) < 0 || check_system_root(look, err) < 0 ||
                   check_devices(look, err) < 0
               ? -1
               : 0;
}

static int
check_hive(struct look *look, struct v2v_error *err)
{
    V2V_AUTO(mem) char *object = NULL;
    int found;

    if (verify_holds(look->v, "bcd", look->subject, err, "it can be read") < 0)
        return -1;
    found = check_default(look, &object, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return verify_unknown(look->v, "bcd-loader", look->subject, err,
                              "see bcd-default: there is no entry to look at");
    look->object = object;
    return check_entry(look, err);
}

static int
mount(struct verify *v, const struct facts_volume *volume,
      struct v2v_error *err)
{
    return volume->place.esp ? guest_mount_fat(v->in->guest, volume->disk,
                                               volume->place.number, err)
                             : guest_mount(v->in->guest, volume->disk,
                                           volume->place.number, false, err);
}

/* Loads the hive from @volume; the system volume is mounted afterwards.  1: it
 * is open; 0: @why says what is wrong with it; or -1 */
static int
load(struct verify *v, const struct facts_volume *volume,
     struct facts_hive *hive, struct v2v_error *why, struct v2v_error *err)
{
    const struct facts *facts = v->in->facts;
    const struct facts_volume *system = &facts->volumes[facts->system_volume];
    int loaded = volume == system ? 0 : mount(v, volume, why);

    if (loaded == 0)
        loaded = facts_hive_load(v->in->guest, largest, hive, why);
    if (volume != system && mount(v, system, err) < 0)
        return -1;
    if (loaded == 0)
        return 1;
    if (why->code != V2V_ERR_INTERNAL && why->code != V2V_ERR_USAGE)
        return 0;
    *err = *why;
    return -1;
}

static int
report_unloaded(struct verify *v, const char *subject,
                const struct v2v_error *why, struct v2v_error *err)
{
    if (why->code == V2V_ERR_NOT_FOUND)
        return verify_found(v, "bcd-missing", subject, err, "it is not there");
    if (why->code == V2V_ERR_FORMAT)
        return verify_found(v, "bcd-unreadable", subject, err, "%s", why->text);
    return verify_unknown(v, "bcd", subject, err, "%s", why->text);
}

int
verify_bcd(struct verify *v, const struct facts_volume *volume,
           struct v2v_error *err)
{
    V2V_AUTO(facts_hive) struct facts_hive hive = { 0 };
    V2V_AUTO(mem) char *subject = NULL;
    struct look look = { .v = v, .volume = volume };
    struct v2v_error why = { 0 };
    int loaded;

    hive.path = v2v_strdup(
        volume->place.esp ? "EFI/Microsoft/Boot/BCD" : "Boot/BCD", err);
    if (hive.path == NULL)
        return -1;
    subject = v2v_format(
        err, "%s: %s",
        guest_place(v->in->guest, volume->disk, volume->place.number).text,
        hive.path);
    if (subject == NULL)
        return -1;
    loaded = load(v, volume, &hive, &why, err);
    if (loaded < 0)
        return -1;
    if (loaded == 0) {
        if (report_unloaded(v, subject, &why, err) < 0)
            return -1;
        return verify_unknown(v, "bcd-default", subject, err, "see bcd");
    }
    look.hive = hive.hive;
    look.subject = subject;
    return check_hive(&look, err) < 0 ? -1 : reg_hive_answered(hive.hive, err);
}
