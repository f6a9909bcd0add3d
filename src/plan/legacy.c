/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A package for XP to 7 and 2003 to 2008 R2, which have no driver database
 * that could be written: their index (infpub.dat and its kin) is not public
 * and is never touched.
 *
 * A boot driver becomes a service and a critical device, which is what those
 * Windows match before Plug and Play runs; virt-v2v has relied on it for
 * years.  For the rest Plug and Play finds the package where it looks for
 * INFs, DevicePath (Microsoft, "How Windows selects a driver for a device"). */
#include <string.h>

#include "base/log.h"
#include "catalog/catalog.h"
#include "plan/plan-private.h"

/* Below the Windows directory; a folder a package, since names repeat. */
#define PACKAGES "Drivers\\VirtIO"

/* "PCI\VEN_1AF4&DEV_1001" as a key's name: "PCI#VEN_1AF4&DEV_1001" */
static int
plan_critical_device(struct planning *p, const char *control_set,
                     const struct device_id *id, struct v2v_error *err)
{
    const struct inf_service *service =
        plan_function_driver(&p->installs[p->install_of_model[id->model]]);
    V2V_AUTO(mem) char *name = v2v_strdup(id->id, err);
    V2V_AUTO(mem) char *key = NULL;
    struct reg_place at = { &p->plan->edits, REG_SYSTEM, NULL,
                            "the boot device's driver, before Plug and Play" };

    if (name == NULL || service == NULL)
        return name == NULL ? -1 : 0;
    v2v_replace_char(name, '\\', '#');
    key = v2v_format(err, "%s\\Control\\CriticalDeviceDatabase\\%s",
                     control_set, name);
    at.key = key;
    if (key == NULL || reg_string(&at, "ClassGUID", REG_SZ,
                                  p->driver->version.class_guid, err) < 0)
        return -1;
    return reg_string(&at, "Service", REG_SZ, service->name, err);
}

static int
plan_boot_driver(struct planning *p, struct v2v_error *err)
{
    V2V_AUTO(device_ids) struct device_ids ids = { 0 };

    if (p->driver->version.class_guid == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: [Version] has no ClassGuid",
                        p->driver->inf_name);
    if (plan_copies(p, err) < 0 || plan_services(p, err) < 0 ||
        plan_device_ids(p, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < p->facts->control_set_count; i++)
        for (size_t j = 0; j < ids.count; j++)
            if (plan_critical_device(p, p->facts->control_sets[i].name,
                                     &ids.items[j], err) < 0)
                return -1;
    return 0;
}

/* An entry of a certificate's blob: property, 1, length, bytes.
 * Source: MS-GPEF 2.2.1.1.1.1; a blob of the hash and the certificate, which
 * comes last, is the least that parses. */
enum { PROPERTY_SHA1 = 3, PROPERTY_CERTIFICATE = 32 };

static int
add_entry(struct v2v_bytes *blob, uint32_t property, const void *data,
          size_t len, struct v2v_error *err)
{
    if (v2v_bytes_add_le(blob, property, 4, err) < 0 ||
        v2v_bytes_add_le(blob, 1, 4, err) < 0 ||
        v2v_bytes_add_le(blob, len, 4, err) < 0)
        return -1;
    return v2v_bytes_add(blob, data, len, err);
}

static int
plan_publisher(struct planning *p, const struct catalog_certificate *publisher,
               struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes blob = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes name = { 0 };
    V2V_AUTO(mem) char *key = NULL;
    struct reg_place at = { &p->plan->edits, REG_SOFTWARE, NULL,
                            "the owner trusts the driver's publisher, so that "
                            "Plug and Play need not ask" };

    for (size_t i = 0; i < sizeof publisher->sha1; i++)
        if (v2v_bytes_printf(&name, err, "%02X", publisher->sha1[i]) < 0)
            return -1;
    key = v2v_format(err,
                     "Microsoft\\SystemCertificates\\TrustedPublisher\\"
                     "Certificates\\%.*s",
                     (int)name.len, (const char *)name.data);
    at.key = key;
    if (key == NULL ||
        add_entry(&blob, PROPERTY_SHA1, publisher->sha1, sizeof publisher->sha1,
                  err) < 0 ||
        add_entry(&blob, PROPERTY_CERTIFICATE, publisher->der.data,
                  publisher->der.len, err) < 0)
        return -1;
    return reg_value(&at, REG_OP_SET, "Blob", REG_BINARY, blob.data, blob.len,
                     err);
}

/* Plug and Play installs without a question only what a trusted publisher
 * signed whose root is trusted too (Microsoft, "Trusted Publishers Certificate
 * Store").  A root is never added: that is more than a driver may ask. */
static int
plan_trust(struct planning *p, struct v2v_error *err)
{
    const struct catalog_signer *signer = &p->driver->catalog.signer;

    if (signer->chain_count == 0 || signer->kind >= CATALOG_SIGNER_MICROSOFT)
        return 0;
    for (size_t i = 0; i < p->facts->root_count; i++)
        if (catalog_is_root_of(signer, p->facts->roots[i].data,
                               p->facts->roots[i].len))
            return plan_publisher(p, &signer->chain[0], err);
    v2v_warn(
        "plan", "publisher-unknown",
        "%s: the guest does not know the root of %s: Plug and Play may ask "
        "at the first logon",
        p->driver->inf_name, signer->name);
    return 0;
}

int
plan_legacy(struct planning *p, struct v2v_error *err)
{
    struct plan_package *package = p->package;

    package->form = PLAN_DEVICE_PATH;
    package->oem_inf = v2v_strdup("", err);
    package->name = v2v_format(err, PACKAGES "\\%s", p->driver->driver);
    if (package->oem_inf == NULL || package->name == NULL)
        return -1;
    for (size_t i = 0; i < p->driver->file_count; i++)
        if (plan_add_file(p, package->name, p->driver->files[i].name,
                          &p->driver->files[i],
                          "the package where Windows looks for INFs", err) < 0)
            return -1;
    if (plan_trust(p, err) < 0)
        return -1;
    return package->boot ? plan_boot_driver(p, err) : 0;
}

/* Is @dir one of the parts of @list, which have ';' between? */
static bool
is_listed(const char *list, const char *dir)
{
    size_t len = strlen(dir);

    for (const char *part = list;; part += strcspn(part, ";") + 1) {
        if (strcspn(part, ";") == len && strncasecmp(part, dir, len) == 0)
            return true;
        if (part[strcspn(part, ";")] == '\0')
            return false;
    }
}

int
plan_device_path(const struct facts *facts, struct plan *plan,
                 struct v2v_error *err)
{
    V2V_AUTO(mem) char *list = v2v_strdup(facts->device_path, err);
    struct reg_place at = { &plan->edits, REG_SOFTWARE,
                            "Microsoft\\Windows\\CurrentVersion",
                            "where Plug and Play looks for INFs" };

    for (size_t i = 0; list != NULL && i < plan->package_count; i++) {
        V2V_AUTO(mem) char *dir =
            v2v_format(err, "%%SystemRoot%%\\%s", plan->packages[i].name);
        char *longer;

        if (dir == NULL)
            return -1;
        if (is_listed(list, dir))
            continue;
        longer = v2v_format(err, "%s%s%s", list, *list == '\0' ? "" : ";", dir);
        free(list);
        list = longer;
    }
    if (list == NULL)
        return -1;
    return reg_string(&at, "DevicePath", REG_EXPAND_SZ, list, err);
}
