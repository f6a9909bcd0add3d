/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/boot.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "facts/hive.h"

/* Elements of the boot configuration.
 * Source: Microsoft, "BCD WMI provider enumerations" (BcdBootMgrElementTypes,
 * BcdLibraryElementTypes). */
#define BOOT_MANAGER "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
#define DEFAULT_OBJECT "23000003"
#define INHERITED_OBJECTS "14000006"
/* what "bcdedit /set testsigning on" sets: one byte, 1 for on */
#define ALLOW_PRERELEASE_SIGNATURES "16000049"

static char *
element_key(const char *object, const char *element)
{
    return v2v_format(NULL, "Objects\\%s\\Elements\\%s", object, element);
}

/* Is it on for @object, or for what the object inherits? */
static bool
is_on(struct reg_hive *bcd, const char *object, bool inherits)
{
    V2V_AUTO(mem)
    char *key = element_key(object, ALLOW_PRERELEASE_SIGNATURES);
    V2V_AUTO(mem) char *inherited_key = element_key(object, INHERITED_OBJECTS);
    V2V_AUTO(strings) struct v2v_strings inherited = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;

    if (key == NULL || inherited_key == NULL)
        return false;
    if (reg_get(bcd, key, "Element", &type, &data, NULL) == 0)
        return data.len > 0 && data.data[0] != 0;
    if (!inherits ||
        reg_get_strings(bcd, inherited_key, "Element", &inherited, NULL) < 0)
        return false;
    for (size_t i = 0; i < inherited.count; i++)
        if (is_on(bcd, inherited.items[i], false))
            return true;
    return false;
}

/* For the entry that is booted unless somebody chooses another. */
static bool
default_is_on(struct reg_hive *bcd)
{
    V2V_AUTO(mem) char *key = element_key(BOOT_MANAGER, DEFAULT_OBJECT);
    V2V_AUTO(mem) char *object = NULL;

    return key != NULL &&
           reg_get_string(bcd, key, "Element", &object, NULL) == 0 &&
           is_on(bcd, object, true);
}

int
facts_read_bcd(struct guest *guest, const char *path,
               struct facts_volume *volume, struct v2v_error *err)
{
    static const size_t largest = 16 << 20; /* a BCD has some 32 KiB */
    V2V_AUTO(facts_hive) struct facts_hive bcd = { 0 };
    struct v2v_error why = { 0 };

    bcd.path = v2v_strdup(path, err);
    if (bcd.path == NULL)
        return -1;
    if (facts_hive_load(guest, largest, &bcd, &why) < 0) {
        if (why.code == V2V_ERR_INTERNAL || why.code == V2V_ERR_USAGE) {
            *err = why;
            return -1;
        }
        if (why.code != V2V_ERR_NOT_FOUND)
            v2v_fact("facts", "%s: not read: %s", path, why.text);
        return 0;
    }
    volume->bcd = true;
    volume->test_signing = default_is_on(bcd.hive);
    if (reg_hive_answered(bcd.hive, err) < 0)
        return -1;
    v2v_fact("facts", "%s: testsigning %s", path,
             volume->test_signing ? "on" : "off");
    return 0;
}
