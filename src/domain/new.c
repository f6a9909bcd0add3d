/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/new.h"

#include <string.h>

#include "base/text.h"
#include "domain/devices.h"
#include "domain/hardware.h"
#include "domain/xml.h"

int
domain_new_name(const char *image, char **ret, struct v2v_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.";
    const char *name = v2v_base_name(image);
    const char *suffix = strrchr(name, '.');
    size_t len = suffix != NULL && suffix != name ? (size_t)(suffix - name)
                                                  : strlen(name);

    *ret = v2v_strndup(name, len, err);
    if (*ret == NULL)
        return -1;
    for (char *s = *ret; *s != '\0'; s++)
        if (strchr(letters, *s) == NULL)
            *s = '-';
    if (**ret == '-' || **ret == '.') /* no option, and no hidden file */
        **ret = '_';
    return 0;
}

static int
add_head(const struct domain_guest *guest, const struct hardware *hardware,
         struct v2v_bytes *out, struct v2v_error *err)
{
    return v2v_bytes_printf(out, err,
                            "<domain type='kvm'>\n"
                            "  <name>%s</name>\n"
                            "  <metadata>\n"
                            "    <libosinfo:libosinfo xmlns:libosinfo="
                            "'http://libosinfo.org/xmlns/libvirt/domain/1.0'>\n"
                            "      <libosinfo:os id='%s'/>\n"
                            "    </libosinfo:libosinfo>\n"
                            "  </metadata>\n"
                            "  <memory unit='GiB'>4</memory>\n"
                            "  <vcpu>2</vcpu>\n"
                            "%s",
                            guest->name, domain_osinfo(&guest->windows)->url,
                            hardware->iothread ? "  <iothreads>1</iothreads>\n"
                                               : "");
}

static int
add_firmware(const struct domain_guest *guest, const struct hardware *hardware,
             struct v2v_bytes *out, struct v2v_error *err)
{
    static const char no_secure_boot[] =
        "    <firmware>\n"
        "      <feature enabled='no' name='secure-boot'/>\n"
        "    </firmware>\n";

    return v2v_bytes_printf(out, err,
                            "  <os%s>\n"
                            "    <type arch='%s' machine='%s'>hvm</type>\n"
                            "%s"
                            "    <boot dev='hd'/>\n"
                            "  </os>\n",
                            guest->efi ? " firmware='efi'" : "", hardware->arch,
                            hardware->machine,
                            guest->efi ? no_secure_boot : "");
}

/* As virt-install writes it for every Windows (virtinst/domain/features.py,
 * clock.py, cpu.py, pm.py).  Many a Windows uses one socket only, so that the
 * processors are cores. */
static int
add_platform(const struct hardware *hardware, struct v2v_bytes *out,
             struct v2v_error *err)
{
    bool pae = strcmp(hardware->arch, "i686") == 0;

    return v2v_bytes_printf(out, err,
                            "  <features>\n"
                            "    <acpi/>\n"
                            "    <apic/>\n"
                            "%s"
                            "    <hyperv>\n"
                            "      <relaxed state='on'/>\n"
                            "      <vapic state='on'/>\n"
                            "      <spinlocks state='on' retries='8191'/>\n"
                            "    </hyperv>\n"
                            "  </features>\n"
                            "  <cpu mode='host-passthrough'>\n"
                            "    <topology sockets='1' cores='2' "
                            "threads='1'/>\n"
                            "  </cpu>\n"
                            "  <clock offset='localtime'>\n"
                            "    <timer name='rtc' tickpolicy='catchup'/>\n"
                            "    <timer name='pit' tickpolicy='delay'/>\n"
                            "    <timer name='hpet' present='no'/>\n"
                            "    <timer name='hypervclock' present='yes'/>\n"
                            "  </clock>\n"
                            "  <pm>\n"
                            "    <suspend-to-mem enabled='no'/>\n"
                            "    <suspend-to-disk enabled='no'/>\n"
                            "  </pm>\n",
                            pae ? "    <pae/>\n" : "");
}

static int
add_disk(const struct domain_guest *guest, size_t i,
         const struct hardware *hardware, struct v2v_bytes *out,
         struct v2v_error *err)
{
    static const struct xml_doc utf8 = { .utf8 = true };
    const struct domain_guest_disk *disk = &guest->disks[i];
    const char *kind = disk->block ? "dev" : "file";
    struct disk_name name = devices_name(hardware->disk_prefix, (long)i);
    bool iothread = hardware->iothread && !hardware->virtio_scsi;

    if (!hardware_has_format(disk->format))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: libvirt has no format %s: make a qcow2 with "
                        "--output",
                        disk->path, disk->format);
    if (v2v_bytes_printf(out, err,
                         "    <disk type='%s' device='disk'>\n"
                         "      <driver name='qemu' type='%s'%s%s/>\n"
                         "      <source %s='",
                         disk->block ? "block" : "file", disk->format,
                         hardware->discard ? " discard='unmap'" : "",
                         iothread ? " iothread='1'" : "", kind) < 0 ||
        xml_escape(&utf8, disk->path, out, err) < 0 ||
        v2v_bytes_printf(out, err,
                         "'/>\n"
                         "      <target dev='%s' bus='%s'/>\n"
                         "    </disk>\n",
                         name.text, hardware->disk_bus) < 0)
        return -1;
    return 0;
}

/* USB 2 is one EHCI controller with three companions for slower devices. */
static int
add_controllers(const struct hardware *hardware, struct v2v_bytes *out,
                struct v2v_error *err)
{
    static const char usb2[] =
        "    <controller type='usb' index='0' model='ich9-ehci1'/>\n"
        "    <controller type='usb' index='0' model='ich9-uhci1'>\n"
        "      <master startport='0'/>\n"
        "    </controller>\n"
        "    <controller type='usb' index='0' model='ich9-uhci2'>\n"
        "      <master startport='2'/>\n"
        "    </controller>\n"
        "    <controller type='usb' index='0' model='ich9-uhci3'>\n"
        "      <master startport='4'/>\n"
        "    </controller>\n";
    static const char usb3[] =
        "    <controller type='usb' model='qemu-xhci' ports='15'/>\n";
    static const char scsi[] =
        "    <controller type='scsi' model='virtio-scsi'/>\n";
    static const char scsi_iothread[] =
        "    <controller type='scsi' model='virtio-scsi'>\n"
        "      <driver iothread='1'/>\n"
        "    </controller>\n";

    return v2v_bytes_printf(out, err, "%s%s",
                            !hardware->virtio_scsi ? ""
                            : hardware->iothread   ? scsi_iothread
                                                   : scsi,
                            hardware->usb3 ? usb3 : usb2);
}

static int
add_nic(const struct hardware *hardware, const struct domain_options *options,
        struct v2v_bytes *out, struct v2v_error *err)
{
    if (v2v_bytes_printf(out, err,
                         "    <interface type='network'>\n"
                         "      <source network='default'/>\n"
                         "      <model type='%s'/>\n",
                         hardware->nic_model) < 0)
        return -1;
    if (options->nic_queues > 0 && options->drivers.netkvm &&
        v2v_bytes_printf(out, err, "      <driver name='vhost' queues='%u'/>\n",
                         options->nic_queues) < 0)
        return -1;
    return v2v_bytes_printf(out, err, "    </interface>\n");
}

static int
add_virtio_devices(const struct hardware *hardware,
                   const struct domain_options *options, struct v2v_bytes *out,
                   struct v2v_error *err)
{
    static const char channel[] =
        "    <channel type='unix'>\n"
        "      <target type='virtio' name='org.qemu.guest_agent.0'/>\n"
        "    </channel>\n";
    static const char rng[] =
        "    <rng model='virtio'>\n"
        "      <backend model='random'>/dev/urandom</backend>\n"
        "    </rng>\n";
    const struct domain_drivers *drivers = &options->drivers;
    bool stats = drivers->balloon && options->add[DOMAIN_ADD_BALLOON_STATS];

    return v2v_bytes_printf(
        out, err,
        "%s"
        "    <memballoon model='%s'%s\n"
        "%s"
        "%s",
        drivers->vioserial ? channel : "", hardware->balloon,
        stats ? ">\n      <stats period='5'/>\n"
                "    </memballoon>"
              : "/>",
        drivers->viorng ? rng : "",
        drivers->pvpanic ? "    <panic model='isa'/>\n" : "");
}

static int
add_devices(const struct domain_guest *guest, const struct hardware *hardware,
            const struct domain_options *options, struct v2v_bytes *out,
            struct v2v_error *err)
{
    if (v2v_bytes_printf(out, err, "  <devices>\n") < 0)
        return -1;
    for (size_t i = 0; i < guest->disk_count; i++)
        if (add_disk(guest, i, hardware, out, err) < 0)
            return -1;
    if (add_controllers(hardware, out, err) < 0 ||
        add_nic(hardware, options, out, err) < 0 ||
        add_virtio_devices(hardware, options, out, err) < 0)
        return -1;
    return v2v_bytes_printf(out, err,
                            "    <console type='pty'/>\n"
                            "    <input type='tablet' bus='usb'/>\n"
                            "    <graphics type='vnc' port='-1'/>\n"
                            "    <video>\n"
                            "      <model type='vga'/>\n"
                            "    </video>\n"
                            "  </devices>\n");
}

int
domain_new(const struct domain_guest *guest,
           const struct domain_options *options, struct v2v_bytes *ret,
           struct v2v_error *err)
{
    struct hardware hardware = hardware_choose(guest, options);
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };

    if (add_head(guest, &hardware, &out, err) < 0 ||
        add_firmware(guest, &hardware, &out, err) < 0 ||
        add_platform(&hardware, &out, err) < 0 ||
        add_devices(guest, &hardware, options, &out, err) < 0 ||
        v2v_bytes_printf(&out, err, "</domain>\n") < 0)
        return -1;
    *ret = out;
    out = (struct v2v_bytes){ 0 };
    return 0;
}
