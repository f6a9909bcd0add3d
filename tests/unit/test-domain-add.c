/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine gets when it is asked for, and what it has then already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/domain.h"

#define MACHINE(before_os, after_os, devices)                                  \
    "<domain type='kvm'>\n  <name>w</name>\n" before_os                        \
    "  <os>\n    <type machine='pc'>hvm</type>\n  </os>\n" after_os            \
    "  <devices>\n" devices "  </devices>\n</domain>\n"
#define DEVICES(devices) MACHINE("", "", devices)

#define RNG                                                                    \
    "    <rng model='virtio'>\n"                                               \
    "      <backend model='random'>/dev/urandom</backend>\n    </rng>\n"
#define CHANNEL                                                                \
    "    <channel type='unix'>\n"                                              \
    "      <target type='virtio' name='org.qemu.guest_agent.0'/>\n"            \
    "    </channel>\n"
#define PANIC                                                                  \
    "    <panic model='isa'>\n      <address type='isa' iobase='0x505'/>\n"    \
    "    </panic>\n"
#define BALLOON(model) "    <memballoon model='" model "'/>\n"
#define STATS(model)                                                           \
    "    <memballoon model='" model "'><stats period='5'/></memballoon>\n"
#define SOUND "    <sound model='ich6'/>\n"

static const struct domain_drivers all = {
    .viostor = true,
    .vioscsi = true,
    .netkvm = true,
    .balloon = true,
    .vioserial = true,
    .viorng = true,
    .pvpanic = true,
};

struct add_case {
    const char *name;
    const char *before, *after; /* after NULL: unchanged */
    const char *said;           /* a change or a warning; NULL: not looked at */
};

static void
rewrite(const char *name, const void *xml, size_t len,
        const struct domain_options *options, struct domain_rewrite *ret)
{
    V2V_AUTO(domain) struct domain *domain = NULL;
    struct v2v_error err = { 0 };

    if (domain_parse(xml, len, &domain, &err) < 0 ||
        domain_rewrite(domain, options, ret, &err) < 0)
        fail_msg("%s: %s", name, err.text);
}

static bool
is_same(const struct domain_rewrite *a, const char *xml, size_t len)
{
    return a->xml.len == len && memcmp(a->xml.data, xml, len) == 0;
}

static bool
says(const struct domain_rewrite *rewrite, const char *what)
{
    char text[256];

    for (size_t i = 0; i < rewrite->change_count; i++) {
        snprintf(text, sizeof text, "%s: %s", rewrite->changes[i].device,
                 rewrite->changes[i].what);
        if (strcmp(text, what) == 0)
            return true;
    }
    for (size_t i = 0; i < rewrite->warnings.count; i++)
        if (strcmp(rewrite->warnings.items[i], what) == 0)
            return true;
    return false;
}

/* Without something to say a rewrite that changes nothing says nothing. */
static void
check_said(const struct add_case *c, const struct domain_rewrite *rewrite)
{
    if ((rewrite->change_count > 0) != (c->after != NULL))
        fail_msg("%s: %zu changes", c->name, rewrite->change_count);
    if (c->said != NULL && !says(rewrite, c->said))
        fail_msg("%s: does not say '%s'", c->name, c->said);
    if (c->said == NULL && c->after == NULL && rewrite->warnings.count > 0)
        fail_msg("%s: %s", c->name, rewrite->warnings.items[0]);
}

static void
check(const struct add_case *c, const struct domain_options *options)
{
    V2V_AUTO(domain_rewrite) struct domain_rewrite first = { 0 };
    V2V_AUTO(domain_rewrite) struct domain_rewrite second = { 0 };
    const char *expected = c->after != NULL ? c->after : c->before;

    rewrite(c->name, c->before, strlen(c->before), options, &first);
    if (!is_same(&first, expected, strlen(expected)))
        fail_msg("%s: got\n%.*s\nnot\n%s", c->name, (int)first.xml.len,
                 (const char *)first.xml.data, expected);
    check_said(c, &first);
    rewrite(c->name, first.xml.data, first.xml.len, options, &second);
    if (second.change_count > 0 ||
        !is_same(&second, (const char *)first.xml.data, first.xml.len))
        fail_msg("%s: not idempotent", c->name);
}

static void
check_feature(enum domain_feature feature, const struct add_case *cases,
              size_t count)
{
    struct domain_options options = { .drivers = all };

    options.add[feature] = true;
    for (size_t i = 0; i < count; i++)
        check(&cases[i], &options);
}

#define CHECK_FEATURE(feature, cases)                                          \
    check_feature((feature), (cases), sizeof(cases) / sizeof *(cases))

static void
test_rng(void **state)
{
    static const struct add_case cases[] = {
        { "behind the last device", DEVICES(SOUND), DEVICES(SOUND RNG),
          "rng: added" },
        { "the first device", DEVICES(""), DEVICES(RNG), "rng: added" },
        { "already there",
          DEVICES("    <rng model='virtio-transitional'>"
                  "<backend model='egd'/></rng>\n"),
          NULL, NULL },
        { "already there in other <devices>",
          MACHINE("", "  <devices>\n" SOUND "  </devices>\n", RNG), NULL,
          NULL },
        { "another namespace's is none",
          DEVICES("    <x:rng xmlns:x='urn:x'/>\n"),
          DEVICES("    <x:rng xmlns:x='urn:x'/>\n" RNG), "rng: added" },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_RNG, cases);
}

static void
test_balloon_stats(void **state)
{
    static const struct add_case cases[] = {
        { "what libvirt would add is written", DEVICES(""),
          DEVICES("    <memballoon model='virtio'>\n"
                  "      <stats period='5'/>\n    </memballoon>\n"),
          "memballoon: added" },
        { "into what is there", DEVICES(BALLOON("virtio-transitional")),
          DEVICES(STATS("virtio-transitional")),
          "memballoon: stats every 5 seconds" },
        { "in front of its children",
          DEVICES("    <memballoon model='virtio'>\n"
                  "      <address type='pci' slot='0x7'/>\n"
                  "    </memballoon>\n"),
          DEVICES("    <memballoon model='virtio'>\n"
                  "      <stats period='5'/>\n"
                  "      <address type='pci' slot='0x7'/>\n"
                  "    </memballoon>\n"),
          NULL },
        { "of the one that becomes virtio", DEVICES(BALLOON("none")),
          DEVICES(STATS("virtio")), "memballoon: model none -> virtio" },
        { "already there",
          DEVICES("    <memballoon model='virtio'><stats period='10'/>"
                  "</memballoon>\n"),
          NULL, NULL },
        { "another model", DEVICES(BALLOON("xen")), NULL,
          "balloon-stats is not added: the memballoon has model 'xen', which "
          "is not virtio" },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_BALLOON_STATS, cases);
}

static void
test_agent_channel(void **state)
{
    static const struct add_case cases[] = {
        { "absent", DEVICES(SOUND), DEVICES(SOUND CHANNEL), "channel: added" },
        { "another channel",
          DEVICES("    <channel type='spicevmc'><target type='virtio' "
                  "name='com.redhat.spice.0'/></channel>\n"),
          DEVICES("    <channel type='spicevmc'><target type='virtio' "
                  "name='com.redhat.spice.0'/></channel>\n" CHANNEL),
          NULL },
        { "already there",
          DEVICES("    <channel type='pty'><target type='virtio' "
                  "name='org.qemu.guest_agent.0'/></channel>\n"),
          NULL, NULL },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_AGENT_CHANNEL, cases);
}

static void
test_pvpanic(void **state)
{
    static const struct add_case cases[] = {
        { "absent", DEVICES(SOUND), DEVICES(SOUND PANIC), "panic: added" },
        { "already there", DEVICES("    <panic model='isa'/>\n"), NULL, NULL },
        { "its model by default", DEVICES("    <panic/>\n"), NULL, NULL },
        { "beside that of Hyper-V", DEVICES("    <panic model='hyperv'/>\n"),
          DEVICES("    <panic model='hyperv'/>\n" PANIC), "panic: added" },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_PVPANIC, cases);
}

static void
test_hyperv(void **state)
{
#define ALL                                                                    \
    "    <hyperv>\n      <relaxed state='on'/>\n      <vapic state='on'/>\n"   \
    "      <spinlocks state='on' retries='8191'/>\n    </hyperv>\n"
#define FEATURES(inside)                                                       \
    MACHINE("", "  <features>\n" inside "  </features>\n", "")
    static const struct add_case cases[] = {
        { "no features", DEVICES(""), FEATURES(ALL),
          "hyperv: relaxed, vapic and spinlocks added" },
        { "features", FEATURES("    <acpi/>\n"), FEATURES("    <acpi/>\n" ALL),
          NULL },
        { "empty features", MACHINE("", "  <features/>\n", ""), FEATURES(ALL),
          NULL },
        { "all are there", FEATURES(ALL), NULL, NULL },
        { "an empty one", FEATURES("    <hyperv/>\n"),
          FEATURES("    <hyperv><relaxed state='on'/><vapic state='on'/>"
                   "<spinlocks state='on' retries='8191'/></hyperv>\n"),
          "hyperv: vapic added" },
        { "the user's stay, what is missing is added",
          FEATURES("    <hyperv mode='custom'>\n"
                   "      <spinlocks state='on' retries='4095'/>\n"
                   "      <synic state='on'/>\n    </hyperv>\n"),
          FEATURES("    <hyperv mode='custom'>\n"
                   "      <spinlocks state='on' retries='4095'/>\n"
                   "      <synic state='on'/>\n      <relaxed state='on'/>\n"
                   "      <vapic state='on'/>\n    </hyperv>\n"),
          "hyperv: relaxed added" },
        { "what is off stays off",
          FEATURES("    <hyperv><relaxed state='on'/><vapic state='off'/>"
                   "<spinlocks state='on'/></hyperv>\n"),
          NULL, "hyperv vapic stays off: the XML says so" },
        { "all of the host's are there",
          FEATURES("    <hyperv mode='passthrough'/>\n"), NULL, NULL },
        { "in the second features",
          MACHINE("", "  <features/>\n  <features>\n" ALL "  </features>\n",
                  ""),
          NULL, NULL },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_HYPERV, cases);
}

static void
test_hypervclock(void **state)
{
#define TIMER "<timer name='hypervclock' present='yes'/>"
    static const struct add_case cases[] = {
        { "no clock: libvirt's", DEVICES(""),
          MACHINE("", "  <clock offset='utc'>\n    " TIMER "\n  </clock>\n",
                  ""),
          "clock: timer hypervclock added" },
        { "its place is behind the features and the processor",
          MACHINE("", "  <features/>\n  <cpu/>\n", ""),
          MACHINE("",
                  "  <features/>\n  <cpu/>\n  <clock offset='utc'>\n    " TIMER
                  "\n  </clock>\n",
                  ""),
          NULL },
        { "a clock keeps its offset",
          MACHINE("", "  <clock offset='localtime'/>\n", ""),
          MACHINE("", "  <clock offset='localtime'>" TIMER "</clock>\n", ""),
          NULL },
        { "behind the other timers",
          MACHINE("",
                  "  <clock offset='localtime'>\n"
                  "    <timer name='rtc'/>\n    <timer name='hpet'/>\n"
                  "  </clock>\n",
                  ""),
          MACHINE("",
                  "  <clock offset='localtime'>\n"
                  "    <timer name='rtc'/>\n    <timer name='hpet'/>\n"
                  "    " TIMER "\n  </clock>\n",
                  ""),
          NULL },
        { "already there",
          MACHINE("", "  <clock><timer name='hypervclock'/></clock>\n", ""),
          NULL, NULL },
        { "what is off stays off",
          MACHINE("",
                  "  <clock><timer name='hypervclock' present='no'/></clock>\n",
                  ""),
          NULL, "hypervclock stays off: the XML says so" },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_HYPERVCLOCK, cases);
}

#define VIRTIO_SCSI(inside)                                                    \
    "    <controller type='scsi' index='0' model='virtio-scsi'" inside "\n"

static void
test_discard(void **state)
{
    static const struct add_case cases[] = {
        { "on virtio-blk",
          DEVICES("    <disk>\n      <driver name='qemu'/>\n"
                  "      <target dev='vda'/>\n    </disk>\n"),
          DEVICES("    <disk>\n      <driver name='qemu' discard='unmap'/>\n"
                  "      <target dev='vda'/>\n    </disk>\n"),
          "disk vda: discard unmap" },
        { "of a disk that moves there, without a driver",
          DEVICES("    <disk>\n      <source file='/a'/>\n"
                  "      <target dev='hda' bus='ide'/>\n    </disk>\n"),
          DEVICES("    <disk>\n      <driver discard='unmap'/>\n"
                  "      <source file='/a'/>\n"
                  "      <target dev='vda' bus='virtio'/>\n    </disk>\n"),
          "disk vda: discard unmap" },
        { "on virtio-scsi",
          DEVICES(VIRTIO_SCSI("/>") "    <disk><target dev='sda'/></disk>\n"),
          DEVICES(VIRTIO_SCSI("/>") "    <disk><driver discard='unmap'/>"
                                    "<target dev='sda'/></disk>\n"),
          NULL },
        { "the user's stays",
          DEVICES("    <disk><driver discard='ignore'/>"
                  "<target dev='vda'/></disk>\n"),
          NULL, NULL },
        { "not of other devices, and not on other buses",
          DEVICES(VIRTIO_SCSI("/>") "    <disk device='cdrom'>"
                                    "<target dev='sda'/></disk>\n"
                                    "    <disk device='lun'>"
                                    "<target dev='sdb'/></disk>\n"
                                    "    <disk><target dev='xvda'/></disk>\n"),
          NULL,
          "disk xvda stays on xen: disks are moved from ide, sata, scsi "
          "and sd only" },
        { "libvirt refuses it of vhostuser",
          DEVICES("    <disk type='vhostuser'><target dev='vda'/></disk>\n"),
          NULL, NULL },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_DISCARD, cases);
}

static void
test_iothread(void **state)
{
#define VCPU "  <vcpu>2</vcpu>\n"
#define IO(n) "  <iothreads>" n "</iothreads>\n"
#define IDS(ids) "  <iothreadids>" ids "</iothreadids>\n"
#define BLK(driver)                                                            \
    "    <disk>" driver "<target dev='vda' bus='virtio'/></disk>\n"
#define USES(id) BLK("<driver iothread='" id "'/>")
    static const struct add_case cases[] = {
        { "one for all disks on virtio-blk",
          MACHINE(VCPU, "", BLK("") "    <disk><target dev='vdb'/></disk>\n"),
          MACHINE(VCPU IO("1"), "",
                  USES("1") "    <disk><driver iothread='1'/>"
                            "<target dev='vdb'/></disk>\n"),
          "disk vdb: iothread 1" },
        { "of a disk that moves there, behind the name",
          DEVICES("    <disk><driver name='qemu'/><target dev='hda'/></disk>"
                  "\n"),
          MACHINE(IO("1"), "",
                  "    <disk><driver name='qemu' iothread='1'/>"
                  "<target dev='vda' bus='virtio'/></disk>\n"),
          "iothreads: 1 added" },
        { "of the controller of virtio-scsi disks",
          DEVICES(VIRTIO_SCSI("/>") "    <disk><target dev='sda'/></disk>\n"),
          MACHINE(IO("1"), "",
                  VIRTIO_SCSI(
                      "><driver iothread='1'/></controller>") "    "
                                                              "<disk><target "
                                                              "dev='sda'/></"
                                                              "disk>\n"),
          "controller scsi 0: iothread 1" },
        { "a controller has a driver",
          DEVICES(VIRTIO_SCSI(
              "><driver queues='4'/></controller>") "    "
                                                    "<disk "
                                                    "device='lun'><target "
                                                    "dev='sda'/></disk>\n"),
          MACHINE(IO("1"), "",
                  VIRTIO_SCSI("><driver queues='4' iothread='1'/>"
                              "</controller>") "    <disk device='lun'>"
                                               "<target dev='sda'/></disk>\n"),
          NULL },
        { "a disk that has several keeps them",
          MACHINE(IO("2"), "",
                  BLK("<driver><iothreads><iothread id='1'/>"
                      "<iothread id='2'/></iothreads></driver>")),
          NULL, NULL },
        { "no disk, no iothread",
          DEVICES(VIRTIO_SCSI("/>") "    <disk device='cdrom'>"
                                    "<target dev='sda'/></disk>\n"),
          NULL, NULL },
        { "the machine has some", MACHINE(IO("4"), "", BLK("")),
          MACHINE(IO("4"), "", USES("1")), NULL },
        { "the machine has some with ids",
          MACHINE(IO("2") IDS("<iothread id='7'/>"), "", BLK("")),
          MACHINE(IO("2") IDS("<iothread id='7'/>"), "", USES("7")), NULL },
        { "ids alone",
          MACHINE(IDS("<iothread id='3'/><iothread id='2'/>"), "", BLK("")),
          MACHINE(IDS("<iothread id='3'/><iothread id='2'/>"), "", USES("3")),
          NULL },
        { "an empty list of ids", MACHINE(IDS(""), "", BLK("")),
          MACHINE(IO("1") IDS(""), "", USES("1")), NULL },
        { "none is wanted", MACHINE(IO("0"), "", BLK("")), NULL,
          "iothread is not added: the XML says in <iothreads> or "
          "<iothreadids> that there are none" },
        { "already there", MACHINE(IO("4"), "", USES("3")), NULL, NULL },
        { "QEMU has none without ioeventfd",
          DEVICES(BLK("<driver ioeventfd='off'/>")), NULL,
          "disk vda gets no iothread: QEMU has none with ioeventfd='off'" },
        { "libvirt refuses it of vhostuser",
          DEVICES("    <disk type='vhostuser'><target dev='vda'/></disk>\n"),
          NULL, NULL },
    };

    (void)state;
    CHECK_FEATURE(DOMAIN_ADD_IOTHREAD, cases);
}

static void
test_nic_queues(void **state)
{
#define NIC(type, inside)                                                      \
    "    <interface type='" type "'>" inside "</interface>\n"
#define NO_MORE                                                                \
    " keeps one queue: libvirt has more for the types network, bridge, "       \
    "direct and ethernet only, and this is '"
    static const struct add_case cases[] = {
        { "of a virtio one, behind the model",
          DEVICES(NIC("bridge", "<model type='virtio'/><boot order='1'/>")),
          DEVICES(NIC("bridge", "<model type='virtio'/><driver queues='4'/>"
                                "<boot order='1'/>")),
          "interface 1: queues (default) -> 4" },
        { "of one that becomes virtio",
          DEVICES(NIC("network", "<mac address='52:54:00:00:00:01'/>"
                                 "<model type='e1000'/>")),
          DEVICES(NIC("network", "<mac address='52:54:00:00:00:01'/>"
                                 "<model type='virtio'/>"
                                 "<driver queues='4'/>")),
          "interface 52:54:00:00:00:01: queues (default) -> 4" },
        { "a driver keeps the rest",
          DEVICES(NIC("direct", "<model type='virtio'/>"
                                "<driver name='qemu'><host csum='off'/>"
                                "</driver>")),
          DEVICES(NIC("direct", "<model type='virtio'/>"
                                "<driver name='qemu' queues='4'>"
                                "<host csum='off'/></driver>")),
          NULL },
        { "another number",
          DEVICES(NIC("ethernet", "<model type='virtio-transitional'/>"
                                  "<driver queues='2'/>")),
          DEVICES(NIC("ethernet", "<model type='virtio-transitional'/>"
                                  "<driver queues='4'/>")),
          "interface 1: queues 2 -> 4" },
        { "libvirt refuses them of user",
          DEVICES(NIC("user", "<model type='virtio'/>")), NULL,
          "interface 1" NO_MORE "user'" },
        { "not ours: how many there are says the other end",
          DEVICES(NIC("vhostuser", "<model type='virtio'/>")
                      NIC("vdpa", "<model type='virtio'/>") NIC("hostdev", "")),
          NULL, NULL },
    };
    const struct domain_options options = { .drivers = all, .nic_queues = 4 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i], &options);
}

static void
test_without_the_driver(void **state)
{
    static const struct {
        enum domain_feature feature;
        const char *said, *there;
    } cases[] = {
        { DOMAIN_ADD_RNG, "rng is not added: viorng was not injected", RNG },
        { DOMAIN_ADD_BALLOON_STATS,
          "balloon-stats is not added: Balloon was not injected",
          STATS("virtio") },
        { DOMAIN_ADD_AGENT_CHANNEL,
          "agent-channel is not added: vioserial was not injected", CHANNEL },
        { DOMAIN_ADD_PVPANIC, "pvpanic is not added: pvpanic was not injected",
          PANIC },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char xml[1024];
        const struct add_case absent = { "absent", DEVICES(SOUND), NULL,
                                         cases[i].said };
        const struct add_case there = { "there", xml, NULL, NULL };
        struct domain_options options = { 0 };

        options.add[cases[i].feature] = true;
        snprintf(xml, sizeof xml, DEVICES("%s"), cases[i].there);
        check(&absent, &options);
        check(&there, &options);
    }
}

/* In double quotes, with tabs and line ends of DOS. */
static void
test_all_at_once(void **state)
{
    static const struct add_case c = {
        "all",
        "<domain type=\"kvm\">\r\n\t<vcpu>2</vcpu>\r\n\t<os><type>hvm</type>"
        "</os>\r\n\t<devices>\r\n\t\t<disk>\r\n\t\t\t<target dev=\"sda\" "
        "bus=\"sata\"/>\r\n\t\t</disk>\r\n\t\t<interface type=\"bridge\">\r\n"
        "\t\t\t<source bridge=\"b\"/>\r\n\t\t</interface>\r\n\t</devices>\r\n"
        "</domain>\r\n",
        "<domain type=\"kvm\">\r\n\t<vcpu>2</vcpu>\r\n"
        "\t<iothreads>1</iothreads>\r\n\t<os><type>hvm</type>"
        "</os>\r\n\t<features>\r\n\t\t<hyperv>\r\n"
        "\t\t\t<relaxed state=\"on\"/>\r\n\t\t\t<vapic state=\"on\"/>\r\n"
        "\t\t\t<spinlocks state=\"on\" retries=\"8191\"/>\r\n\t\t</hyperv>\r\n"
        "\t</features>\r\n\t<clock offset=\"utc\">\r\n"
        "\t\t<timer name=\"hypervclock\" present=\"yes\"/>\r\n\t</clock>\r\n"
        "\t<devices>\r\n\t\t<disk>\r\n"
        "\t\t\t<driver discard=\"unmap\" iothread=\"1\"/>\r\n"
        "\t\t\t<target dev=\"vda\" bus=\"virtio\"/>\r\n\t\t</disk>\r\n"
        "\t\t<interface type=\"bridge\">\r\n\t\t\t<source bridge=\"b\"/>\r\n"
        "\t\t\t<model type=\"virtio\"/>\r\n\t\t\t<driver queues=\"8\"/>\r\n"
        "\t\t</interface>\r\n\t\t<rng model=\"virtio\">\r\n"
        "\t\t\t<backend model=\"random\">/dev/urandom</backend>\r\n"
        "\t\t</rng>\r\n\t\t<memballoon model=\"virtio\">\r\n"
        "\t\t\t<stats period=\"5\"/>\r\n\t\t</memballoon>\r\n"
        "\t\t<channel type=\"unix\">\r\n"
        "\t\t\t<target type=\"virtio\" name=\"org.qemu.guest_agent.0\"/>\r\n"
        "\t\t</channel>\r\n\t\t<panic model=\"isa\">\r\n"
        "\t\t\t<address type=\"isa\" iobase=\"0x505\"/>\r\n\t\t</panic>\r\n"
        "\t</devices>\r\n</domain>\r\n",
        NULL
    };
    struct domain_options options = { .drivers = all, .nic_queues = 8 };

    (void)state;
    for (size_t i = 0; i < DOMAIN_FEATURES; i++)
        options.add[i] = true;
    check(&c, &options);
}

/* A new image's format and two features share a <driver> that was not there. */
static void
test_with_a_moved_image(void **state)
{
    static const struct domain_moved_image moved = { "/a.img", "/b.qcow2",
                                                     "qcow2" };
    static const struct add_case c = {
        "moved",
        MACHINE("  <iothreads>1</iothreads>\n", "",
                "    <disk><source file='/a.img'/><target dev='hda'/>"
                "</disk>\n"),
        MACHINE("  <iothreads>1</iothreads>\n", "",
                "    <disk><source file='/b.qcow2'/>"
                "<driver type='qcow2' discard='unmap' iothread='1'/>"
                "<target dev='vda' bus='virtio'/></disk>\n"),
        NULL
    };
    struct domain_options options = { .drivers = all, .moved = &moved };

    (void)state;
    options.add[DOMAIN_ADD_DISCARD] = true;
    options.add[DOMAIN_ADD_IOTHREAD] = true;
    check(&c, &options);
}

/* The controller that a move has added gets the iothread. */
static void
test_on_virtio_scsi(void **state)
{
    static const struct add_case c = {
        "virtio-scsi",
        DEVICES("    <disk>\n      <target dev='hda'/>\n    </disk>\n"),
        MACHINE(IO("1"), "",
                "    <disk>\n      <driver discard='unmap'/>\n"
                "      <target dev='sda' bus='scsi'/>\n"
                "      <address type='drive' controller='0' bus='0' target='0' "
                "unit='0'/>\n    </disk>\n"
                "    <controller type='scsi' index='0' model='virtio-scsi'>"
                "<driver iothread='1'/></controller>\n"),
        "disk sda: discard unmap"
    };
    struct domain_options options = { .drivers = all, .virtio_scsi = true };

    (void)state;
    options.add[DOMAIN_ADD_DISCARD] = true;
    options.add[DOMAIN_ADD_IOTHREAD] = true;
    check(&c, &options);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng),
        cmocka_unit_test(test_balloon_stats),
        cmocka_unit_test(test_agent_channel),
        cmocka_unit_test(test_pvpanic),
        cmocka_unit_test(test_hyperv),
        cmocka_unit_test(test_hypervclock),
        cmocka_unit_test(test_discard),
        cmocka_unit_test(test_iothread),
        cmocka_unit_test(test_nic_queues),
        cmocka_unit_test(test_without_the_driver),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_with_a_moved_image),
        cmocka_unit_test(test_on_virtio_scsi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
