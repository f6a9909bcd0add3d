/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/legacy.h"

#include <errno.h>

/* A certificate in the registry: entries of u32 property, u32 1, u32 length
 * and that many bytes; property 32 is the certificate itself.
 * Source: MS-GPEF 2.2.1.1.1.1; the stores of a real hive parse to the last
 * byte. */
enum { ENTRY_HEADER = 12, PROPERTY_CERTIFICATE = 32 };

/* Where Windows looks for INFs when the hive does not say. */
static const char default_device_path[] = "%SystemRoot%\\inf";

/* Takes over nothing: the certificate is copied. */
static int
add_root(struct facts *facts, const uint8_t *der, size_t len,
         struct v2v_error *err)
{
    struct v2v_bytes *roots =
        reallocarray(facts->roots, facts->root_count + 1, sizeof *roots);

    if (roots == NULL)
        return v2v_fail_errno(err, errno, "certificates");
    facts->roots = roots;
    roots[facts->root_count] = (struct v2v_bytes){ 0 };
    if (v2v_bytes_copy(der, len, &roots[facts->root_count], err) < 0)
        return -1;
    facts->root_count++;
    return 0;
}

/* A blob that does not parse is a root less, not a refusal. */
static int
read_blob(const struct v2v_bytes *blob, struct facts *facts,
          struct v2v_error *err)
{
    for (size_t at = 0; blob->len - at >= ENTRY_HEADER;) {
        uint64_t property = v2v_get_le(blob->data + at, 4);
        uint64_t len = v2v_get_le(blob->data + at + 8, 4);

        at += ENTRY_HEADER;
        if (len > blob->len - at)
            return 0;
        if (property == PROPERTY_CERTIFICATE)
            return add_root(facts, blob->data + at, len, err);
        at += len;
    }
    return 0;
}

static int
read_store(struct reg_hive *software, const char *store, struct facts *facts,
           struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(mem) char *key = v2v_format(
        err, "Microsoft\\SystemCertificates\\%s\\Certificates", store);

    if (key == NULL)
        return -1;
    if (reg_children(software, key, &names, err) < 0)
        return err->code == V2V_ERR_NOT_FOUND ? 0 : -1;
    for (size_t i = 0; i < names.count; i++) {
        V2V_AUTO(mem) char *certificate =
            v2v_format(err, "%s\\%s", key, names.items[i]);
        V2V_AUTO(bytes) struct v2v_bytes blob = { 0 };
        uint32_t type;

        if (certificate == NULL)
            return -1;
        if (reg_get(software, certificate, "Blob", &type, &blob, err) == 0
                ? read_blob(&blob, facts, err) < 0
                : err->code != V2V_ERR_NOT_FOUND)
            return -1;
    }
    return 0;
}

int
facts_read_legacy(struct reg_hive *software, struct facts *facts,
                  struct v2v_error *err)
{
    if (reg_get_string(software, "Microsoft\\Windows\\CurrentVersion",
                       "DevicePath", &facts->device_path, err) < 0 &&
        err->code != V2V_ERR_NOT_FOUND)
        return v2v_fail_in(err, "SOFTWARE");
    if (facts->device_path == NULL &&
        (facts->device_path = v2v_strdup(default_device_path, err)) == NULL)
        return -1;
    if (read_store(software, "ROOT", facts, err) < 0 ||
        read_store(software, "AuthRoot", facts, err) < 0)
        return v2v_fail_in(err, "SOFTWARE");
    return 0;
}
