/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each link between the boot controller (and the network card) and its driver
 * is broken once, on a guest into which the real drivers of
 * $V2V_SHARED/data/virtio-win were injected; and what others write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "facts/find.h"
#include "test-tools.h"
#include "tree-guest.h"
#include "verify/verify.h"

#define DB "DriverDatabase\\"
#define IDS DB "DeviceIds\\PCI\\VEN_1AF4&"
#define VIOSTOR DB "DriverPackages\\@" /* its package */
#define NETKVM DB "DriverPackages\\#"
#define MODERN "DEV_1042&SUBSYS_11001AF4&REV_01"
#define SERVICE "ControlSet001\\Services\\viostor"
#define CDD "ControlSet001\\Control\\CriticalDeviceDatabase\\PCI#VEN_1AF4&"
#define C "work/0-1/"
#define STORE C "Windows/System32/DriverStore/FileRepository/"
#define CATROOT                                                                \
    C "Windows/System32/CatRoot/'{F750E6C3-38EE-11D1-85E5-00C04FC295EE}'/"

struct change {
    enum reg_hive_id hive;
    const char *key;  /* @, # are the packages of viostor and NetKVM */
    const char *name; /* NULL: the key goes */
    const char *text; /* SZ; NULL: a value that is of no use, as if it were
                       * gone */
    uint32_t type;    /* other than SZ */
    uint8_t data[48];
    size_t len;
};

enum { CHANGES_MAX = 14 };

struct mutation {
    const char *what;
    struct change changes[CHANGES_MAX];
    const char *command; /* in the folder of the trees */
    const char *broken;  /* the only code of a link that is broken; NULL */
    const char *warns;   /* codes of those that warn, with blanks; NULL */
    const char *unknown; /* a link that is unknown then; NULL */
};

static void
must(const char *command)
{
    if (!run(command))
        fail_msg("%s", command);
}

static void
ok(int rc, const struct v2v_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

/* ---- a guest and its audit */

struct audit {
    struct guest *guest;
    struct facts_hives hives;
    struct facts facts;
    struct verify_result result;
};

static void
audit_open(struct audit *a, const char *tree)
{
    V2V_AUTO(mem) char *dir = v2v_format(NULL, "%s/%s", top, tree);
    const struct facts_root any = { FACTS_ANY, FACTS_ANY };
    struct v2v_error err = { 0 };

    ok(tree_guest_open(dir, &a->guest, &err), &err);
    ok(facts_load(a->guest, &any, &a->hives, &a->facts, &err), &err);
}

static void
audit_done(struct audit *a)
{
    verify_result_done(&a->result);
    facts_done(&a->facts);
    facts_hives_done(&a->hives);
    guest_abandon(a->guest);
}

static const char *
package_of(const struct audit *a, const char *oem_inf)
{
    for (size_t i = 0; i < a->facts.package_count; i++)
        if (strcmp(a->facts.packages[i].oem_inf, oem_inf) == 0)
            return a->facts.packages[i].name;
    return "";
}

static char *
full_key(const struct audit *a, const char *key)
{
    const char *at = strpbrk(key, "@#");

    /* '#' stands in the names of critical devices, too */
    if (at == NULL || strncmp(key, DB, strlen(DB)) != 0)
        return v2v_strdup(key, NULL);
    return v2v_format(NULL, "%.*s%s%s", (int)(at - key), key,
                      package_of(a, *at == '@' ? "oem3.inf" : "oem4.inf"),
                      at + 1);
}

static void
apply_change(struct audit *a, const struct change *c)
{
    V2V_AUTO(mem) char *key = full_key(a, c->key);
    V2V_AUTO(reg_edits) struct reg_edits edits = { 0 };
    struct reg_place at = { &edits, c->hive, key, "test" };
    struct v2v_error err = { 0 };

    if (c->name == NULL)
        ok(reg_delete(&at, &err), &err);
    else if (c->text != NULL)
        ok(reg_string(&at, c->name, REG_SZ, c->text, &err), &err);
    else
        ok(reg_value(&at, REG_OP_SET, c->name, c->type, c->data, c->len, &err),
           &err);
    ok(reg_hive_apply(a->hives.items[c->hive].hive, c->hive, &edits, &err),
       &err);
}

static void
audit_run(struct audit *a, const struct domain_machine *machine)
{
    const struct verify_input input = { .guest = a->guest,
                                        .facts = &a->facts,
                                        .hives = &a->hives,
                                        .machine = machine };
    struct v2v_error err = { 0 };

    ok(verify_run(&input, &a->result, &err), &err);
}

/* Is @word one of @list? */
static bool
has_word(const char *list, const char *word)
{
    V2V_AUTO(mem) char *padded = v2v_format(NULL, " %s ", list);
    V2V_AUTO(mem) char *wanted = v2v_format(NULL, " %s ", word);

    return strstr(padded, wanted) != NULL;
}

static void
check_link(const struct mutation *m, const struct verify_link *link)
{
    const char *wanted = link->state == VERIFY_BROKEN ? m->broken : m->warns;

    if (link->code != NULL &&
        (wanted == NULL || !has_word(wanted, link->code->name)))
        fail_msg("%s: %s %s: %s: %s", m->what, verify_state_name(link->state),
                 link->code->name, link->subject, link->text);
}

static bool
has_code(const struct verify_result *r, const char *code,
         enum verify_state state)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->links[i].code != NULL && r->links[i].state == state &&
            strcmp(r->links[i].code->name, code) == 0)
            return true;
    return false;
}

static bool
is_unknown(const struct verify_result *r, const char *link)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->links[i].state == VERIFY_UNKNOWN &&
            strcmp(r->links[i].link, link) == 0)
            return true;
    return false;
}

static void
check_result(const struct mutation *m, const struct verify_result *r)
{
    V2V_AUTO(mem)
    char *warns = v2v_strdup(m->warns != NULL ? m->warns : "", NULL);
    char *rest = warns, *code;

    for (size_t i = 0; i < r->count; i++)
        check_link(m, &r->links[i]);
    if (m->broken != NULL && !has_code(r, m->broken, VERIFY_BROKEN))
        fail_msg("%s: %s is not broken", m->what, m->broken);
    while ((code = strsep(&rest, " ")) != NULL)
        if (*code != '\0' && !has_code(r, code, VERIFY_WARNS))
            fail_msg("%s: no warning %s", m->what, code);
    if (m->unknown != NULL && !is_unknown(r, m->unknown))
        fail_msg("%s: %s is not unknown", m->what, m->unknown);
}

static void
try_mutation(const char *tree, const struct mutation *m,
             const struct domain_machine *machine)
{
    struct audit a = { 0 };

    if (m->command != NULL) {
        V2V_AUTO(mem)
        char *copy = v2v_format(
            NULL, "rm -rf work; cp -a --sparse=always %s work", tree);

        must(copy);
        must(m->command);
        tree = "work";
    }
    audit_open(&a, tree);
    for (size_t i = 0; i < CHANGES_MAX && m->changes[i].key != NULL; i++)
        apply_change(&a, &m->changes[i]);
    audit_run(&a, machine);
    check_result(m, &a.result);
    audit_done(&a);
}

/* ---- Windows 10 */

/* clang-format off */
#define GONE(hive, key) { hive, key, NULL, NULL, 0, { 0 }, 0 }
#define UNSET(hive, key, name) { hive, key, name, NULL, REG_BINARY, { 0 }, 0 }
#define SET(hive, key, name, text) { hive, key, name, text, 0, { 0 }, 0 }
#define DWORD(hive, key, name, byte)                                           \
    { hive, key, name, NULL, REG_DWORD, { byte }, 4 }
#define BYTES(hive, key, name, len, ...)                                       \
    { hive, key, name, NULL, REG_BINARY, { __VA_ARGS__ }, len }
#define LIST(hive, key, name)                                                  \
    { hive, key, name, NULL, REG_MULTI_SZ, { 'x', 0, 0, 0, 0, 0 }, 6 }
/* clang-format on */

#define OEM3 DB "DriverInfFiles\\oem3.inf"
#define OEM4 DB "DriverInfFiles\\oem4.inf"

static const struct mutation on_10[] = {
    { "as injected", { { 0 } }, NULL, NULL, NULL, NULL },
    { "modern id gone",
      { GONE(REG_SYSTEM, IDS MODERN), GONE(REG_SYSTEM, IDS "DEV_1042") },
      NULL,
      "device-id-missing",
      NULL,
      "service" },
    { "one of two ids gone",
      { GONE(REG_SYSTEM, IDS "DEV_1001") },
      NULL,
      "device-id-missing",
      NULL,
      NULL },
    { "all ids gone",
      { GONE(REG_SYSTEM, DB "DeviceIds\\PCI") },
      NULL,
      "device-id-missing",
      NULL,
      "service" },
    { "INF not registered",
      { GONE(REG_SYSTEM, OEM3) },
      NULL,
      "inf-not-registered",
      NULL,
      "descriptor" },
    { "no Active",
      { UNSET(REG_SYSTEM, OEM3, "Active") },
      NULL,
      "inf-not-active",
      NULL,
      "package" },
    { "Active names no package",
      { SET(REG_SYSTEM, OEM3, "Active", "x.inf_amd64_0123456789abcdef") },
      NULL,
      "package-missing",
      NULL,
      "package-configured" },
    { "package gone",
      { GONE(REG_SYSTEM, VIOSTOR) },
      NULL,
      "package-missing",
      NULL,
      "configuration-service" },
    { "default value lists another",
      { LIST(REG_SYSTEM, OEM3, "") },
      NULL,
      "package-not-listed",
      NULL,
      NULL },
    { "no Version",
      { UNSET(REG_SYSTEM, VIOSTOR, "Version") },
      NULL,
      "package-version",
      NULL,
      NULL },
    { "short Version",
      { BYTES(REG_SYSTEM, VIOSTOR, "Version", 47, 0x00, 0xff, 9) },
      NULL,
      "package-version",
      NULL,
      NULL },
    { "Version of another architecture and class",
      { BYTES(REG_SYSTEM, VIOSTOR, "Version", 48, 0x00, 0xff, 12) },
      NULL,
      NULL,
      "package-architecture package-class",
      NULL },
    { "only staged",
      { GONE(REG_SYSTEM, VIOSTOR "\\Configurations"),
        GONE(REG_SYSTEM, VIOSTOR "\\Descriptors"),
        UNSET(REG_SYSTEM, OEM3, "Configurations"), GONE(REG_SYSTEM, SERVICE) },
      NULL,
      "package-not-configured",
      NULL,
      "configuration" },
    { "descriptor gone",
      { GONE(REG_SYSTEM, VIOSTOR "\\Descriptors\\PCI\\VEN_1AF4&" MODERN) },
      NULL,
      "descriptor-missing",
      NULL,
      "configuration" },
    { "no Configuration",
      { UNSET(REG_SYSTEM, VIOSTOR "\\Descriptors\\PCI\\VEN_1AF4&" MODERN,
              "Configuration") },
      NULL,
      "descriptor-missing",
      NULL,
      "configuration-service" },
    { "configuration gone",
      { GONE(REG_SYSTEM, VIOSTOR "\\Configurations\\scsi_inst") },
      NULL,
      "configuration-missing",
      NULL,
      "configuration-service" },
    { "configuration not listed",
      { UNSET(REG_SYSTEM, OEM3, "Configurations") },
      NULL,
      "configuration-not-listed",
      NULL,
      NULL },
    { "no Service",
      { UNSET(REG_SYSTEM, VIOSTOR "\\Configurations\\scsi_inst", "Service") },
      NULL,
      "configuration-no-service",
      NULL,
      NULL },
    { "service gone",
      { GONE(REG_SYSTEM, SERVICE) },
      NULL,
      "service-missing",
      NULL,
      "driver-signature" },
    { "overridden",
      { DWORD(REG_SYSTEM, SERVICE "\\StartOverride", "0", 3) },
      NULL,
      "start-override",
      NULL,
      NULL },
    { "other owner",
      { LIST(REG_SYSTEM, SERVICE, "Owners") },
      NULL,
      NULL,
      "service-owner",
      NULL },
    { "wrong BusType",
      { DWORD(REG_SYSTEM, SERVICE "\\Parameters", "BusType", 10) },
      NULL,
      NULL,
      "bus-type",
      NULL },
    { "controller without a driver: all of it gone",
      { GONE(REG_SYSTEM, DB "DeviceIds\\PCI"), GONE(REG_SYSTEM, VIOSTOR),
        GONE(REG_SYSTEM, SERVICE) },
      NULL,
      "controller-not-covered",
      NULL,
      "service" },
    { "an INF that ranks better is only staged",
      { BYTES(REG_SYSTEM, IDS MODERN, "oem9.inf", 4, 1, 0x80, 0, 0) },
      NULL,
      NULL,
      "better-match-not-ready",
      NULL },
    { "driver's file missing",
      { { 0 } },
      "rm " C "Windows/System32/drivers/viostor.sys",
      "driver-file-missing",
      NULL,
      "driver-signature" },
    { "driver altered",
      { { 0 } },
      "printf x | dd of=" C "Windows/System32/drivers/viostor.sys bs=1 "
      "seek=20000 conv=notrunc",
      "driver-signature",
      NULL,
      NULL },
    /* of a newer virtio-win, with a signature of its own */
    { "another driver than the package's",
      { { 0 } },
      "cp w11/0-1/Windows/System32/DriverStore/FileRepository/vioscsi.*/"
      "vioscsi.sys " C "Windows/System32/drivers/viostor.sys",
      NULL,
      "driver-copy-differs catalog-missing",
      NULL },
    { "no catalog",
      { { 0 } },
      "rm " CATROOT "oem3.cat",
      NULL,
      "catalog-missing",
      NULL },
    { "dangling package",
      { { 0 } },
      "rm -r " STORE "viostor.*",
      NULL,
      "package-dangling",
      NULL },
    { "file of the package missing",
      { { 0 } },
      "rm " STORE "viostor.*/viostor.sys",
      NULL,
      "store-file-missing",
      NULL },
    { "INF of the package altered",
      { { 0 } },
      "for f in " STORE "viostor.*/viostor.inf; do echo >>$f; done",
      NULL,
      "store-file-altered inf-copy-differs",
      NULL },
    { "catalog of the package missing",
      { { 0 } },
      "rm " STORE "viostor.*/viostor.cat",
      NULL,
      "package-unsigned",
      NULL },
    { "INF's copy missing",
      { { 0 } },
      "rm " C "Windows/INF/oem3.inf",
      NULL,
      "inf-copy-differs",
      NULL },

    { "card: one id gone",
      { GONE(REG_DRIVERS, IDS "DEV_1041") },
      NULL,
      "network-device-id-missing",
      NULL,
      NULL },
    { "card: all ids gone",
      { GONE(REG_DRIVERS, DB "DeviceIds\\PCI") },
      NULL,
      "network-device-id-missing",
      NULL,
      NULL },
    { "card: INF not registered",
      { GONE(REG_DRIVERS, OEM4) },
      NULL,
      "network-inf-not-registered",
      NULL,
      "network-files" },
    { "card: no Active",
      { UNSET(REG_DRIVERS, OEM4, "Active") },
      NULL,
      "network-inf-not-active",
      NULL,
      "network-files" },
    { "card: package gone",
      { GONE(REG_DRIVERS, NETKVM) },
      NULL,
      "network-package-missing",
      NULL,
      "network-files" },
    { "card: default value lists another",
      { LIST(REG_DRIVERS, OEM4, "") },
      NULL,
      "network-package-not-listed",
      NULL,
      NULL },
    { "card: no Version",
      { UNSET(REG_DRIVERS, NETKVM, "Version") },
      NULL,
      "network-package-version",
      NULL,
      NULL },
    { "card: package not in the store",
      { { 0 } },
      "rm -r " STORE "netkvm.*",
      "network-store-missing",
      NULL,
      "network-signature" },
    { "card: driver missing",
      { { 0 } },
      "rm " STORE "netkvm.*/netkvm.sys",
      "network-file-missing",
      NULL,
      "network-signature" },
    { "card: driver altered",
      { { 0 } },
      "printf x | dd of=$(echo " STORE "netkvm.*/netkvm.sys) bs=1 seek=20000 "
      "conv=notrunc",
      "network-file-altered",
      NULL,
      "network-signature" },
    { "card: all of it gone",
      { GONE(REG_DRIVERS, DB "DeviceIds\\PCI"), GONE(REG_DRIVERS, OEM4),
        GONE(REG_DRIVERS, NETKVM) },
      "rm -r " STORE "netkvm.*",
      NULL,
      "network-driver-absent",
      NULL },
};

static void
test_10(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof on_10 / sizeof *on_10; i++)
        try_mutation("w10", &on_10[i], NULL);
}

/* ---- what the domain XML says */

static const struct domain_machine virtio = {
    .firmware = DOMAIN_FIRMWARE_BIOS,
    .has_boot_disk = true,
    .boot_disk = "vda",
    .controller = DOMAIN_CONTROLLER_VIRTIO_BLK,
    .controller_ids = DOMAIN_VIRTIO_TRANSITIONAL,
    .hard_disks = 1,
    .virtio_nics = 1,
    .nic_ids = DOMAIN_VIRTIO_TRANSITIONAL,
};

static void
test_machine(void **state)
{
    static const struct mutation other_form = {
        "the machine shows the old ids only",
        { GONE(REG_SYSTEM, IDS MODERN), GONE(REG_SYSTEM, IDS "DEV_1042"),
          GONE(REG_DRIVERS, IDS "DEV_1041") },
        NULL,
        NULL,
        NULL,
        NULL
    };
    static const struct mutation no_scsi = {
        "on virtio-scsi",         { { 0 } }, NULL,
        "controller-not-covered", NULL,      "service"
    };
    static const struct mutation no_card = {
        "no driver for the card",
        { GONE(REG_DRIVERS, DB "DeviceIds\\PCI"), GONE(REG_DRIVERS, OEM4),
          GONE(REG_DRIVERS, NETKVM) },
        "rm -r " STORE "netkvm.*",
        "network-driver-missing",
        NULL,
        NULL
    };
    static const struct mutation sata = { .what = "on SATA" };
    struct mutation unknown = { .what = "usb", .unknown = "controller" };
    struct domain_machine machine = virtio;

    (void)state;
    machine.nic_ids = DOMAIN_VIRTIO_TRANSITIONAL;
    try_mutation("w10", &no_card, &machine);
    machine.virtio_nics = 0;
    try_mutation("w10", &other_form, &machine);
    machine.controller = DOMAIN_CONTROLLER_VIRTIO_SCSI;
    try_mutation("w10", &no_scsi, &machine);
    machine.controller = DOMAIN_CONTROLLER_SATA;
    try_mutation("w10", &sata, &machine);
    machine.controller = DOMAIN_CONTROLLER_OTHER;
    try_mutation("w10", &unknown, &machine);
    machine.has_boot_disk = false;
    try_mutation("w10", &unknown, &machine);
}

/* ---- Windows 7 */

static const struct mutation on_7[] = {
    { "as injected", { { 0 } }, NULL, NULL, NULL, NULL },
    { "modern ids gone",
      { GONE(REG_SYSTEM, CDD MODERN), GONE(REG_SYSTEM, CDD "DEV_1042") },
      NULL,
      "critical-device-missing",
      NULL,
      "service" },
    { "all gone",
      { GONE(REG_SYSTEM, CDD MODERN), GONE(REG_SYSTEM, CDD "DEV_1042"),
        GONE(REG_SYSTEM, CDD "DEV_1001"),
        GONE(REG_SYSTEM, CDD "DEV_1001&SUBSYS_00021AF4&REV_00"),
        GONE(REG_SYSTEM, SERVICE) },
      NULL,
      "controller-not-covered",
      NULL,
      "service" },
    { "no Service",
      { UNSET(REG_SYSTEM, CDD "DEV_1001", "Service") },
      NULL,
      "critical-device-no-service",
      NULL,
      NULL },
    { "no class",
      { UNSET(REG_SYSTEM, CDD "DEV_1042", "ClassGUID") },
      NULL,
      "critical-device-no-class",
      NULL,
      NULL },
    { "driver altered",
      { { 0 } },
      "printf x | dd of=" C "Windows/System32/drivers/viostor.sys bs=1 "
      "seek=9000 conv=notrunc",
      "driver-signature",
      NULL,
      NULL },
    { "card's INF gone",
      { { 0 } },
      "rm " C "Windows/Drivers/VirtIO/NetKVM/netkvm.inf",
      NULL,
      "network-driver-absent",
      NULL },
};

static void
test_7(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof on_7 / sizeof *on_7; i++)
        try_mutation("w7", &on_7[i], NULL);
}

/* ---- Windows 11, virtio-scsi only, which runs from the driver store; the
 * medium has no catalogs */

#define WITHOUT_CATALOG "catalog-missing package-unsigned"

static const struct mutation on_11[] = {
    { "as injected", { { 0 } }, NULL, NULL, WITHOUT_CATALOG, NULL },
    { "driver missing",
      { { 0 } },
      "rm " STORE "vioscsi.*/vioscsi.sys",
      "driver-file-missing",
      WITHOUT_CATALOG,
      "driver-signature" },
    { "driver altered",
      { { 0 } },
      "printf x | dd of=$(echo " STORE "vioscsi.*/vioscsi.sys) bs=1 "
      "seek=20000 conv=notrunc",
      "driver-signature",
      WITHOUT_CATALOG,
      NULL },
    { "ids gone",
      { GONE(REG_SYSTEM, DB "DeviceIds\\PCI") },
      NULL,
      "device-id-missing",
      WITHOUT_CATALOG,
      "service" },
};

static void
test_11(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof on_11 / sizeof *on_11; i++)
        try_mutation("w11", &on_11[i], NULL);
}

/* ---- a driver of before virtio 1.0 */

static void
test_xp(void **state)
{
    static const struct mutation old = {
        "only the old ids",
        { GONE(REG_SYSTEM, CDD MODERN), GONE(REG_SYSTEM, CDD "DEV_1042") },
        NULL,
        NULL,
        "controller-form-not-covered network-driver-absent",
        NULL
    };
    struct mutation modern = old;
    struct domain_machine machine = virtio;

    (void)state;
    try_mutation("xp", &old, NULL);
    machine.controller_ids = DOMAIN_VIRTIO_MODERN;
    machine.virtio_nics = 0;
    modern.broken = "critical-device-missing";
    modern.warns = NULL;
    try_mutation("xp", &modern, &machine);
}

/* ---- test signatures, with and without testsigning */

static void
test_signatures(void **state)
{
    struct audit a = { 0 };
    struct domain_machine machine = virtio;

    (void)state;
    audit_open(&a, "signed");
    audit_run(&a, NULL);
    assert_null(verify_broken(&a.result));
    verify_result_done(&a.result);
    a.facts.test_signing = false;
    audit_run(&a, NULL);
    assert_true(has_code(&a.result, "driver-signature", VERIFY_BROKEN));
    assert_true(has_code(&a.result, "network-signature", VERIFY_BROKEN));
    verify_result_done(&a.result);
    a.facts.test_signing = true;
    machine.secure_boot = DOMAIN_SECURE_BOOT_ON;
    audit_run(&a, &machine);
    assert_true(has_code(&a.result, "driver-signature", VERIFY_BROKEN));
    audit_done(&a);
}

/* ---- what others write */

/* virt-v2v, inject_virtio_win.ml */
#define STUB "guestor.inf_amd64_0000000000000000"
#define STUB_IDS                                                               \
    BYTES(REG_SYSTEM, IDS "DEV_1001&REV_00", "guestor.inf", 4, 1, 0xff, 0, 0), \
        BYTES(REG_SYSTEM, IDS "DEV_1042&REV_01", "guestor.inf", 4, 1, 0xff, 0, \
              0),                                                              \
        SET(REG_SYSTEM, DB "DriverInfFiles\\guestor.inf", "Active", STUB),     \
        BYTES(REG_SYSTEM, DB "DriverPackages\\" STUB, "Version", 48, 0, 0xff,  \
              9, 0, 0, 0, 0, 0, 0x7b, 0xe9, 0x36, 0x4d, 0x25, 0xe3, 0xce,      \
              0x11, 0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18),           \
        SET(REG_SYSTEM, DB "DriverPackages\\" STUB "\\Configurations\\c",      \
            "Service", "viostor"),                                             \
        SET(REG_SYSTEM,                                                        \
            DB "DriverPackages\\" STUB                                         \
               "\\Descriptors\\PCI\\VEN_1AF4&DEV_1001&REV_00",                 \
            "Configuration", "c"),                                             \
        SET(REG_SYSTEM,                                                        \
            DB "DriverPackages\\" STUB                                         \
               "\\Descriptors\\PCI\\VEN_1AF4&DEV_1042&REV_01",                 \
            "Configuration", "c")

/* The lists of names, which are longer than a change can be. */
static void
add_stub_lists(struct audit *a)
{
    static const struct {
        const char *name, *item;
    } lists[] = { { "", STUB }, { "Configurations", "c" } };
    V2V_AUTO(reg_edits) struct reg_edits edits = { 0 };
    struct reg_place at = { &edits, REG_SYSTEM,
                            DB "DriverInfFiles\\guestor.inf", "test" };
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < 2; i++) {
        char *items[] = { (char *)lists[i].item };

        ok(reg_strings(&at, REG_OP_SET, lists[i].name, items, 1, &err), &err);
    }
    ok(reg_hive_apply(a->hives.items[REG_SYSTEM].hive, REG_SYSTEM, &edits,
                      &err),
       &err);
}

#define SERVICE_EDITS                                                          \
    DWORD(REG_SYSTEM, SERVICE, "Type", 1),                                     \
        DWORD(REG_SYSTEM, SERVICE, "Start", 0),                                \
        SET(REG_SYSTEM, SERVICE, "Group", "SCSI miniport"),                    \
        SET(REG_SYSTEM, SERVICE, "ImagePath",                                  \
            "system32\\drivers\\viostor.sys")

static const struct {
    struct mutation m;
    bool stub;
} others[] = {
    { { "stub with service",
        { STUB_IDS, SERVICE_EDITS },
        NULL,
        NULL,
        "package-dangling catalog-missing network-driver-absent",
        NULL },
      true },
    { { "stub with service, overridden",
        { STUB_IDS, SERVICE_EDITS,
          DWORD(REG_SYSTEM, SERVICE "\\StartOverride", "0", 3) },
        NULL,
        "start-override",
        "package-dangling catalog-missing network-driver-absent",
        NULL },
      true },
    { { "stub without service",
        { STUB_IDS },
        NULL,
        "service-missing",
        "package-dangling network-driver-absent",
        NULL },
      true },
    { { "service and critical device on Windows 10",
        { SERVICE_EDITS, SET(REG_SYSTEM, CDD "DEV_1001", "Service", "viostor"),
          SET(REG_SYSTEM, CDD "DEV_1042", "Service", "viostor") },
        NULL,
        "device-id-missing",
        "network-driver-absent",
        "service" },
      false },
    { { "registered in DRIVERS",
        { BYTES(REG_DRIVERS, IDS "DEV_1001", "oem3.inf", 4, 2, 0xff, 0, 0),
          BYTES(REG_DRIVERS, IDS "DEV_1042", "oem3.inf", 4, 2, 0xff, 0, 0) },
        NULL,
        "device-id-in-drivers",
        "network-driver-absent",
        "service" },
      false },
};

static void
test_others(void **state)
{
    /* in the fixture; inject deletes it, virt-v2v does not know of it */
    static const struct change overridden =
        GONE(REG_SYSTEM, "ControlSet001\\Services\\disk\\StartOverride");

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const struct mutation *m = &others[i].m;
        struct audit a = { 0 };

        audit_open(&a, "clean");
        for (size_t k = 0; k < CHANGES_MAX && m->changes[k].key != NULL; k++)
            apply_change(&a, &m->changes[k]);
        apply_change(&a, &overridden);
        if (others[i].stub)
            add_stub_lists(&a);
        audit_run(&a, NULL);
        check_result(m, &a.result);
        audit_done(&a);
    }
}

static int
start(void **state)
{
    V2V_AUTO(mem) char *iso =
        shared_path("data/virtio-win/virtio-win-subset.iso");
    V2V_AUTO(mem)
    char *newer = shared_path("data/virtio-win/virtio-win-0.1.285-style.iso");
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/fixtures:%s/tests:%s:/usr/sbin:/sbin",
                            SOURCE_DIR, BINARY_DIR, getenv("PATH"));

    if (iso == NULL || newer == NULL || make_top(state) < 0 || path == NULL ||
        setenv("PATH", path, 1) < 0 || setenv("ISO", iso, 1) < 0 ||
        setenv("NEWER", newer, 1) < 0) {
        free(v2v_steal(path)); /* exit() ends no scope */
        exit(SKIPPED);
    }
    if (!run("command -v mkntfs && command -v sfdisk")) {
        printf("skipped: mkntfs or sfdisk is missing\n");
        remove_top(state);
        exit(SKIPPED);
    }
    must("mkguest --tree --no-testsigning w10 && "
         "tree-tool inject w10 \"$ISO\" viostor,NetKVM >/dev/null && "
         "mkguest --tree --no-testsigning clean && "
         "cp w10/0-1/Windows/System32/drivers/viostor.sys "
         "clean/0-1/Windows/System32/drivers/ && "
         "mkguest --tree --version win7 --no-testsigning w7 && "
         "tree-tool inject w7 \"$ISO\" viostor,NetKVM >/dev/null && "
         "mkguest --tree --version win11 --no-testsigning w11 && "
         "tree-tool inject w11 \"$NEWER\" vioscsi,NetKVM >/dev/null && "
         "mkiso -d medium && mkguest --tree signed && "
         "tree-tool inject signed medium viostor,NetKVM >/dev/null && "
         "mkguest --tree --version winxp --arch x86 xp && "
         "tree-tool inject xp medium viostor >/dev/null");
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_10),     cmocka_unit_test(test_machine),
        cmocka_unit_test(test_7),      cmocka_unit_test(test_11),
        cmocka_unit_test(test_xp),     cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
