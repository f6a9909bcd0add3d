/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that test-domain.c and test-domain-scsi.c do not show: what is said of
 * the machine, what of a running guest's XML stays, and hostile files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/domain.h"

#define DOMAIN(machine, devices, behind)                                       \
    "<domain type='kvm'><os><type machine='" machine                           \
    "'>hvm</type></os><devices>\n" devices "</devices>" behind "</domain>"
#define PC(devices) DOMAIN("pc", devices, "")
#define Q35(devices) DOMAIN("pc-q35-8.0", devices, "")
#define QEMU(element, content)                                                 \
    DOMAIN("pc", "<disk><target dev='hda'/></disk>",                           \
           "<q:" element                                                       \
           " xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>" content    \
           "</q:" element ">")

static const struct domain_options options = {
    .drivers = { .viostor = true,
                 .vioscsi = true,
                 .netkvm = true,
                 .balloon = true },
};

static void
rewrite(const char *xml, struct domain_rewrite *ret)
{
    V2V_AUTO(domain) struct domain *domain = NULL;
    struct v2v_error err = { 0 };

    if (domain_parse(xml, strlen(xml), &domain, &err) < 0 ||
        domain_rewrite(domain, &options, ret, &err) < 0)
        fail_msg("%s\n%s", err.text, xml);
}

static bool
is_said(const struct domain_rewrite *rewritten, const char *warning)
{
    for (size_t i = 0; i < rewritten->warnings.count; i++)
        if (strcmp(rewritten->warnings.items[i], warning) == 0)
            return true;
    return false;
}

static const char ide_cdrom[] =
    "disk hda: machine type q35 has no IDE, and libvirt refuses it: move it to "
    "sata by hand";
static const char ide_controller[] =
    "controller ide: machine type q35 has no IDE, and libvirt refuses it: "
    "remove it by hand";
static const char buslogic[] =
    "controller scsi 1: QEMU has no buslogic, and libvirt refuses it: remove "
    "it by hand";

static void
test_what_the_machine_cannot_have(void **state)
{
    static const struct {
        const char *name, *xml, *warning;
        bool said;
    } cases[] = {
        { "q35: a cdrom on ide",
          Q35("<disk device='cdrom'><target dev='hda' bus='ide'/></disk>"),
          ide_cdrom, true },
        { "q35: a disk on ide moves",
          Q35("<disk><target dev='hda' bus='ide'/></disk>"), ide_cdrom, false },
        { "pc: a cdrom on ide",
          PC("<disk device='cdrom'><target dev='hda' bus='ide'/></disk>"),
          ide_cdrom, false },
        { "q35: an ide controller is left",
          Q35("<controller type='ide' index='0'/>"), ide_controller, true },
        { "pc: an ide controller", PC("<controller type='ide' index='0'/>"),
          ide_controller, false },
        { "an emulated scsi controller is left: buslogic",
          PC("<controller type='scsi' index='1' model='buslogic'/>"), buslogic,
          true },
        { "buslogic that becomes virtio-scsi",
          PC("<disk device='lun'><target dev='sda'/><address type='drive' "
             "controller='1'/></disk><controller type='scsi' index='1' "
             "model='buslogic'/>"),
          buslogic, false },
        { "an emulated scsi controller is left: others are harmless",
          PC("<controller type='scsi' index='1' model='lsilogic'/>"), buslogic,
          false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(domain_rewrite) struct domain_rewrite rewritten = { 0 };

        rewrite(cases[i].xml, &rewritten);
        if (is_said(&rewritten, cases[i].warning) != cases[i].said)
            fail_msg("%s", cases[i].name);
    }
}

/* An i440fx machine has slots for some 25 disks. */
static void
test_many_disks_on_i440fx(void **state)
{
    static const struct {
        const char *machine;
        int disks;
        bool said;
    } cases[] = { { "pc", 25, false },
                  { "pc", 26, true },
                  { "pc-i440fx-4.2", 26, true },
                  { "q35", 26, false } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(domain_rewrite) struct domain_rewrite rewritten = { 0 };
        char xml[4096];
        size_t len = (size_t)snprintf(
            xml, sizeof xml,
            "<domain type='kvm'><os><type machine='%s'>hvm</type></os>"
            "<devices><disk><target dev='vda'/></disk>",
            cases[i].machine);

        for (int j = 1; j < cases[i].disks; j++)
            len += (size_t)snprintf(xml + len, sizeof xml - len,
                                    "<disk><target dev='sd%c' bus='sata'/>"
                                    "</disk>",
                                    'a' + j - 1);
        snprintf(xml + len, sizeof xml - len, "</devices></domain>");
        rewrite(xml, &rewritten);
        assert_int_equal(
            is_said(&rewritten,
                    "26 disks on virtio need a PCI slot each, for which "
                    "libvirt adds PCI bridges; with --block-driver virtio-scsi "
                    "they share one"),
            cases[i].said);
    }
}

/* What is given to QEMU past libvirt is never changed, and said. */
static void
test_qemu_namespace(void **state)
{
#define DECIDES                                                                \
    ", which decides what virtio devices Windows sees; with both on, QEMU "    \
    "does not start"
#define GONE ", which may be gone now: QEMU would not start; edit it by hand"
    static const struct {
        const char *name, *xml, *warning;
    } cases[] = {
        { "disable-legacy in an argument",
          QEMU("commandline", "<q:arg value='-global'/><q:arg "
                              "value='virtio-blk-pci.disable-legacy=on'/>"),
          "<qemu:commandline> names 'disable-legacy'" DECIDES },
        { "disable-modern in an override",
          QEMU("override", "<q:device alias='ua-1'><q:frontend><q:property "
                           "name='disable-modern' type='bool' value='true'/>"
                           "</q:frontend></q:device>"),
          "<qemu:override> names 'disable-modern'" DECIDES },
        { "-set of a device that is gone",
          QEMU("commandline", "<q:arg value='-set'/><q:arg "
                              "value='device.ide0-0-0.x=1'/>"),
          "<qemu:commandline> names 'ide0-0-0'" GONE },
        { "-global of a model that is gone",
          QEMU("commandline", "<q:arg value='-global'/><q:arg "
                              "value='ide-hd.ver=1'/>"),
          "<qemu:commandline> names 'ide-hd'" GONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(domain_rewrite) struct domain_rewrite rewritten = { 0 };

        rewrite(cases[i].xml, &rewritten);
        if (!is_said(&rewritten, cases[i].warning))
            fail_msg("%s: %s", cases[i].name,
                     rewritten.warnings.count > 0 ? rewritten.warnings.items[0]
                                                  : "nothing is said");
        assert_int_equal(v2v_bytes_add(&rewritten.xml, "", 1, NULL), 0);
        assert_non_null(
            strstr((char *)rewritten.xml.data, strstr(cases[i].xml, "<q:")));
    }
}

/* "virsh dumpxml" of a guest that runs: libvirt ignores what is of this run. */
static void
test_running_guest(void **state)
{
#define LIVE_HEAD                                                              \
    "<domain type='kvm' id='7'><name>a</name><os><type machine='pc'>hvm"       \
    "</type></os><devices>\n"
#define LIVE_SOURCE                                                            \
    "<source file='/a' index='2'><seclabel model='dac' relabel='no'/>"         \
    "</source><backingStore type='file' index='3'><format type='raw'/>"        \
    "<source file='/b'/><backingStore/></backingStore>"
#define LIVE_TAIL                                                              \
    "</devices><seclabel type='dynamic' model='dac'><label>+0:+0</label>"      \
    "</seclabel></domain>"
    V2V_AUTO(domain_rewrite) struct domain_rewrite rewritten = { 0 };

    (void)state;
    rewrite(LIVE_HEAD
            "<disk type='file'>" LIVE_SOURCE
            "<mirror type='file' job='copy'/><target dev='hda' bus='ide'/>"
            "<transient/><alias name='ide0-0-0'/></disk>\n" LIVE_TAIL,
            &rewritten);
    assert_int_equal(v2v_bytes_add(&rewritten.xml, "", 1, NULL), 0);
    assert_string_equal(
        (char *)rewritten.xml.data, LIVE_HEAD
        "<disk type='file'>" LIVE_SOURCE
        "<mirror type='file' job='copy'/><target dev='vda' bus='virtio'/>"
        "<transient/></disk>\n" LIVE_TAIL);
}

static void
assert_refused(const char *name, const char *xml, size_t len)
{
    struct domain *domain = NULL;
    struct v2v_error err = { 0 };

    if (domain_parse(xml, len, &domain, &err) == 0)
        fail_msg("%s: accepted", name);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_null(domain);
}

/* A pipe would be opened by whoever fetches it, and nobody writes to it: the
 * test would not end. */
static void
test_nothing_is_fetched(void **state)
{
    static const char *const formats[] = {
        "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file://%s'>]><domain>&e;"
        "</domain>",
        "<!DOCTYPE domain SYSTEM 'file://%s'><domain/>",
        "<!DOCTYPE domain [<!ENTITY %% p SYSTEM '%s'> %%p;]><domain/>",
        "<!DOCTYPE domain PUBLIC '-//x' '%s' []><domain/>",
        "<?xml version='1.0' standalone='no'?>\n<!-- x -->\n"
        "<!DOCTYPE domain SYSTEM '%s'><domain/>",
    };
    static const char include[] =
        "<domain type='kvm' xmlns:xi='http://www.w3.org/2001/XInclude'>"
        "<metadata><xi:include href='%s' parse='text'/></metadata>"
        "<?xml-stylesheet href='%s'?><os><type>hvm</type></os><devices>"
        "<xi:include href='%s'/></devices></domain>";
    V2V_AUTO(domain_rewrite) struct domain_rewrite rewritten = { 0 };
    char folder[] = "/tmp/v2v-rules-XXXXXX", pipe[64], xml[1024];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    alarm(20);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int len = snprintf(xml, sizeof xml, formats[i], pipe);
#pragma GCC diagnostic pop

        assert_refused(formats[i], xml, (size_t)len);
    }
    snprintf(xml, sizeof xml, include, pipe, pipe, pipe);
    rewrite(xml, &rewritten); /* nor expanded */
    assert_int_equal(rewritten.xml.len, strlen(xml));
    assert_memory_equal(rewritten.xml.data, xml, strlen(xml));
    alarm(0);
    unlink(pipe);
    rmdir(folder);
}

static void
test_hostile_files(void **state)
{
    static const struct {
        const char *name, *xml;
        size_t len; /* 0: a string */
    } cases[] = {
        { "an entity in a name", "<!DOCTYPE d [<!ENTITY b 'vda'>]><domain/>",
          0 },
        { "a default attribute",
          "<!DOCTYPE domain [<!ATTLIST disk device CDATA 'cdrom'>]><domain/>",
          0 },
        { "billion laughs",
          "<!DOCTYPE d [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;&a;&a;'>"
          "<!ENTITY c '&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;'>]>"
          "<domain name='&d;'/>",
          0 },
        { "DOCTYPE behind a comment", "<!--a--><!DOCTYPE domain><domain/>", 0 },
        { "an entity that nobody declares", "<domain>&e;</domain>", 0 },
        { "NUL in a text", "<domain>a\0b</domain>", 21 },
        { "NUL at the end", "<domain/>\0", 10 },
        { "no UTF-8", "<domain>\xff\xfe</domain>", 0 },
        { "half a character", "<domain name='\xc3'/>", 0 },
        { "a surrogate", "<domain>\xed\xa0\x80</domain>", 0 },
        { "a control character", "<domain>\x01</domain>", 0 },
        { "the same by reference", "<domain>&#1;</domain>", 0 },
        { "UTF-7", "<?xml version='1.0' encoding='UTF-7'?>+ADw-domain/+AD4-",
          0 },
        { "EBCDIC", "<?xml version='1.0' encoding='IBM037'?><domain/>", 0 },
        { "an encoding of no name", "<?xml version='1.0' encoding=''?><d/>",
          0 },
        { "UTF-16 that says UTF-8 and is neither", "\xff\xfe<domain/>", 0 },
        { "UTF-32", "\xff\xfe\0\0<\0\0\0a\0\0\0/\0\0\0>\0\0\0", 20 },
        { "a prefix that nobody declares", "<x:domain/>", 0 },
        { "a declaration in the middle", "<domain/><?xml version='1.0'?>", 0 },
        { "CDATA outside", "<![CDATA[x]]><domain/>", 0 },
        { "a second root", "<domain/><domain/>", 0 },
        { "text behind", "<domain/>x", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].name, cases[i].xml,
                       cases[i].len > 0 ? cases[i].len : strlen(cases[i].xml));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_machine_cannot_have),
        cmocka_unit_test(test_many_disks_on_i440fx),
        cmocka_unit_test(test_qemu_namespace),
        cmocka_unit_test(test_running_guest),
        cmocka_unit_test(test_nothing_is_fetched),
        cmocka_unit_test(test_hostile_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
