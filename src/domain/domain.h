/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/domain.h - a libvirt domain XML, and its rewrite to virtio devices
 *
 * Bytes in, bytes out: the result is the input with some places spliced, and
 * equal to it byte for byte everywhere else (comments, quotes, indentation,
 * line ends, encoding).  An input that needs nothing comes back as it was, and
 * so does a result that is given in again.
 *
 * It neither reads nor writes files, and does not talk to libvirt.  Paths are
 * compared as text: which disk is an image, see domain_image_count().
 *
 * What libvirt accepts, assigns and boots from: libvirt "Domain XML format",
 * https://libvirt.org/formatdomain.html, and its source where a rule says so.
 */
#ifndef V2V_DOMAIN_DOMAIN_H
#define V2V_DOMAIN_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

/* A domain XML that was parsed and accepted; owns a copy of the bytes. */
struct domain;

#define DOMAIN_XML_MAX (16 << 20) /* bytes */

/* The drivers that were really injected: only their devices change. */
struct domain_drivers {
    bool viostor;   /* virtio-blk: hard disks */
    bool vioscsi;   /* virtio-scsi: hard disks and luns, if asked for */
    bool netkvm;    /* virtio-net: interfaces */
    bool balloon;   /* virtio-balloon: <memballoon model='none'/> */
    bool vioserial; /* virtio-serial: the agent's channel */
    bool viorng;    /* virtio-rng */
    bool pvpanic;   /* <panic model='isa'/> */
};

/* The same as a table, i < DOMAIN_DRIVERS: the name of a driver on a medium
 * ("NetKVM"), and its place in @drivers. */
enum { DOMAIN_DRIVERS = 7 };
const char *domain_driver_name(size_t i);
bool *domain_driver(struct domain_drivers *drivers, size_t i);

/* What a rewrite adds to the machine when it is asked to.  Each but the last
 * four needs its driver. */
enum domain_feature {
    DOMAIN_ADD_RNG,           /* viorng */
    DOMAIN_ADD_BALLOON_STATS, /* balloon */
    DOMAIN_ADD_AGENT_CHANNEL, /* vioserial */
    DOMAIN_ADD_PVPANIC,       /* pvpanic */
    DOMAIN_ADD_HYPERV,        /* what virt-install writes for every Windows */
    DOMAIN_ADD_HYPERVCLOCK,
    DOMAIN_ADD_DISCARD, /* of disks that are on virtio afterwards */
    DOMAIN_ADD_IOTHREAD,
    DOMAIN_FEATURES
};

/* "rng", "balloon-stats", ...: the words of --add. */
const char *domain_feature_name(enum domain_feature feature);

/* The driver that it needs as drivers/ names it ("viorng"), or NULL. */
const char *domain_feature_driver(enum domain_feature feature);

/* Returns false when there is no such word. */
bool domain_find_feature(const char *name, enum domain_feature *ret);

/* What was injected is a new file, and a hard disk has to name that. */
struct domain_moved_image {
    const char *from;   /* path of the old image; which disk has it is said at
                           domain_image_count() */
    const char *to;     /* path of the new one: absolute, UTF-8 */
    const char *format; /* of the new one: "qcow2" */
};

/* What shall be different. */
struct domain_options {
    struct domain_drivers drivers;
    bool virtio_scsi; /* hard disks go to virtio-scsi, not to virtio-blk */
    bool add[DOMAIN_FEATURES];
    unsigned nic_queues; /* of each virtio interface; 0: as they are */
    const struct domain_moved_image *moved; /* NULL: it is where it was */
};

/* One thing that was changed; all three are new strings, UTF-8. */
struct domain_change {
    char *device; /* "disk hda", "interface 52:54:00:01:02:03", "memballoon",
                     "boot" */
    char *what;   /* "bus ide -> virtio, dev hda -> vda", "address dropped" */
    char *why;
};

struct domain_rewrite {
    struct v2v_bytes xml; /* in the encoding of the input */
    struct domain_change *changes;
    size_t change_count;         /* 0: @xml is the input */
    struct v2v_strings warnings; /* what was left alone and why, and what
                                    takes effect now; UTF-8, one line each */
};

/**
 * domain_parse() - accept a domain XML
 * @xml: @len bytes as they are in the file: UTF-8, US-ASCII, ISO-8859-x,
 *       windows-125x or UTF-16 (found as XML says), with or without a BOM
 * @ret: new; domain_free()
 *
 * Returns: 0, or -1 with
 * V2V_ERR_FORMAT: larger than 16 MiB, nested deeper than 256, not well-formed,
 *     an encoding that is not listed above, any DOCTYPE (an entity or a default
 *     attribute could hide what libvirt sees), a root other than <domain> or in
 *     a namespace, no <devices>, more than 1024 devices of a kind;
 * V2V_ERR_GUEST: not a kvm or qemu domain, not hvm, not x86, or a machine that
 *     has no PCI bus (isapc, microvm, none).
 */
int domain_parse(const void *xml, size_t len, struct domain **ret,
                 struct v2v_error *err);

void domain_free(struct domain *domain);

V2V_AUTO_DEFINE(domain, struct domain *, domain_free)

/**
 * domain_rewrite() - move devices to virtio where a driver was injected
 * @ret: written only on success; domain_rewrite_done()
 *
 * Hard disks on ide, sata, sd and non-virtio scsi, emulated or default
 * network cards, and a switched-off memory balloon are moved; device='lun' to
 * virtio-scsi only.  CD-ROMs, floppies, usb and xen disks, disks on virtio-blk
 * and on virtio-scsi and passed-through interfaces stay.  What virtio devices
 * cannot have is dropped and named in a change.  The machine boots from the
 * same devices in the same order as before; where names alone cannot keep that,
 * <boot order=> says it and <os><boot> goes.
 *
 * What is to be added goes into the machine as it is then, so changes of that
 * name a disk as it is called now.  What the XML has already stays as it is:
 * also a hyperv enlightenment that is off, for which there is a warning.
 *
 * The disk of @options->moved gets the new path and format, whatever its source
 * was (file, block device, volume, network), and loses what holds for the old
 * image only: all else of <source> but startupPolicy and <seclabel>,
 * <backingStore>, <auth>.  A disk that has the new path already, while none
 * has the old one, is that disk: so a result can be given in again.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE: @options->moved->to is not absolute or holds what no XML can,
 * another disk has it, or no disk or more than one is @moved->from;
 * V2V_ERR_GUEST: the disk of @moved cannot be a qcow2 file: it is a 'lun',
 *     shareable, encrypted, or being copied (<mirror>); or there would be more
 *     than 1024 controllers;
 * V2V_ERR_INTERNAL: memory, or the result does not read back as what was meant.
 */
int domain_rewrite(const struct domain *domain,
                   const struct domain_options *options,
                   struct domain_rewrite *ret, struct v2v_error *err);

void domain_rewrite_done(struct domain_rewrite *rewrite);

static inline void
v2v_auto_domain_rewrite(struct domain_rewrite *rewrite)
{
    domain_rewrite_done(rewrite);
}

/* The document as text: UTF-16 has become UTF-8, all else is as it was in the
 * file.  Lives as long as @domain. */
const struct v2v_bytes *domain_text(const struct domain *domain);

/* The hard disks (device 'disk', 'lun' or absent) in the order of the XML;
 * CD-ROMs and floppies are not counted. */
size_t domain_disk_count(const struct domain *domain);

/* Of hard disk @i < domain_disk_count(): target/@dev, or NULL; lives as long
 * as @domain. */
const char *domain_disk_name(const struct domain *domain, size_t i);

/* Of hard disk @i: source/@file or source/@dev as written, or NULL (network,
 * volume, none); lives as long as @domain. */
const char *domain_disk_source(const struct domain *domain, size_t i);

/**
 * domain_image_count() - how many hard disks may be the image @path
 *
 * Those whose source is @path.  If there are none: those whose source (file,
 * device, volume or exported name) has the base name of @path, because an
 * image is often worked on in another folder than the one it runs from.
 *
 * 0: this is probably another machine's XML.
 */
size_t domain_image_count(const struct domain *domain, const char *path);

/* Does the firmware check the signatures of what it boots? */
enum domain_secure_boot {
    DOMAIN_SECURE_BOOT_OFF,    /* BIOS, or the XML says no */
    DOMAIN_SECURE_BOOT_ON,     /* the XML says yes */
    DOMAIN_SECURE_BOOT_UNKNOWN /* UEFI, and libvirt or the NVRAM decides */
};

enum domain_firmware {
    DOMAIN_FIRMWARE_UNKNOWN, /* a loader that cannot be told by the XML */
    DOMAIN_FIRMWARE_BIOS,
    DOMAIN_FIRMWARE_EFI
};

/* The controller behind which a disk is, as its driver sees it. */
enum domain_controller {
    DOMAIN_CONTROLLER_OTHER, /* none of these: usb, sd, xen, lsilogic ... */
    DOMAIN_CONTROLLER_VIRTIO_BLK,
    DOMAIN_CONTROLLER_VIRTIO_SCSI,
    DOMAIN_CONTROLLER_SATA,
    DOMAIN_CONTROLLER_IDE,
    DOMAIN_CONTROLLER_NVME
};

/* Which of its two PCI ids a virtio device shows. */
enum domain_virtio_ids {
    DOMAIN_VIRTIO_EITHER,       /* QEMU's and libvirt's placement decides */
    DOMAIN_VIRTIO_TRANSITIONAL, /* 1af4:1000 .. 103f */
    DOMAIN_VIRTIO_MODERN        /* 1af4:1040 and up */
};

/* What Windows will see of the machine. */
struct domain_machine {
    enum domain_firmware firmware;
    enum domain_secure_boot secure_boot;
    bool has_boot_disk; /* false: there is no hard disk in what it boots from */
    const char *boot_disk; /* its target/@dev; lives as long as the domain */
    enum domain_controller controller;     /* of the boot disk */
    enum domain_virtio_ids controller_ids; /* when that is a virtio one */
    size_t hard_disks;                     /* all of them */
    size_t virtio_nics; /* interfaces that are or default to virtio-net */
    enum domain_virtio_ids nic_ids; /* of these; EITHER if they differ */
};

/**
 * domain_machine() - the machine that @domain describes
 * @image: path of the image with Windows: when just one hard disk has it (see
 *         domain_image_count()), that is the boot disk; else, and with NULL,
 *         the first hard disk in libvirt's boot sequence
 *
 * Source: as for domain_rewrite(); which id a virtio device shows: QEMU
 * hw/virtio/virtio-pci.c, "legacy off if in a PCI Express port, not on the root
 * bus"; libvirt puts an address-less one of a q35 machine into a root port, of
 * an i440fx machine on the root bus.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT.
 */
int domain_machine(const struct domain *domain, const char *image,
                   struct domain_machine *ret, struct v2v_error *err);

/**
 * domain_secure_boot() - what <os> says of Secure Boot
 *
 * On: the firmware feature "secure-boot" is enabled, or the loader is
 * secure='yes'.  (That its keys are enrolled is more than the XML tells.)
 *
 * Source: libvirt "Domain XML format", "BIOS bootloader".
 */
enum domain_secure_boot domain_secure_boot(const struct domain *domain);

#endif
