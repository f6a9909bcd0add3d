/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/boot.h"

#include "base/log.h"

/* BcdLibraryBoolean_AllowPrereleaseSignatures, what "bcdedit /set testsigning
 * on" sets: a binary value of one byte, 1 for on.
 * Source: Microsoft, "BcdLibraryElementTypes enumeration". */
#define TEST_SIGNING "Elements\\16000049"

static bool
is_on(struct reg_hive *bcd, const char *object)
{
    V2V_AUTO(mem) char *key =
        v2v_format(NULL, "Objects\\%s\\" TEST_SIGNING, object);
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;

    return key != NULL &&
           reg_get(bcd, key, "Element", &type, &data, NULL) == 0 &&
           data.len > 0 && data.data[0] != 0;
}

int
facts_read_bcd(struct guest *guest, const char *path, struct facts *facts,
               struct v2v_error *err)
{
    static const size_t largest = 16 << 20; /* a BCD has some 32 KiB */
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    V2V_AUTO(reg_hive) struct reg_hive *bcd = NULL;
    V2V_AUTO(strings) struct v2v_strings objects = { 0 };
    struct v2v_error why = { 0 };

    if (guest_read(guest, path, largest, &bytes, err) < 0)
        return err->code == V2V_ERR_NOT_FOUND || err->code == V2V_ERR_GUEST
                   ? 0
                   : -1;
    if (reg_hive_open(bytes.data, bytes.len, &bcd, &why) < 0 ||
        reg_children(bcd, "Objects", &objects, &why) < 0) {
        v2v_fact("facts", "%s: %s", path, why.text);
        return 0;
    }
    for (size_t i = 0; i < objects.count; i++)
        facts->test_signing |= is_on(bcd, objects.items[i]);
    v2v_fact("facts", "%s: testsigning %s", path,
             facts->test_signing ? "on" : "off");
    return 0;
}
