/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reference: virt-install(1) of virtinst 4.1. */
#include <string.h>

#include "base/text.h"
#include "domain/hardware.h"
#include "domain/new.h"

/* Does a terminal, or a shell's plain quotes, take it as it is? */
static bool
is_plain(const char *s)
{
    uint32_t c = 0;

    for (size_t n; *s != '\0'; s += n) {
        n = v2v_utf8_char(s, &c);
        if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) ||
            (c >= 0xd800 && c < 0xe000))
            return false;
    }
    return true;
}

/* $'...', in which a byte is three octal digits. */
static int
quote_bytes(const char *s, struct v2v_bytes *out, struct v2v_error *err)
{
    if (v2v_bytes_add(out, "$'", 2, err) < 0)
        return -1;
    for (; *s != '\0'; s++) {
        bool escape = *s < ' ' || *s > '~' || *s == '\'' || *s == '\\';

        if (escape ? v2v_bytes_printf(out, err, "\\%03o", (uint8_t)*s) < 0
                   : v2v_bytes_add(out, s, 1, err) < 0)
            return -1;
    }
    return v2v_bytes_add(out, "'", 1, err);
}

/* Append " " and @s as one word of a shell's command line. */
static int
add_word(const char *s, struct v2v_bytes *out, struct v2v_error *err)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_@%+=:,./-";

    if (v2v_bytes_add(out, " ", 1, err) < 0)
        return -1;
    if (!is_plain(s))
        return quote_bytes(s, out, err);
    if (s[strspn(s, safe)] == '\0')
        return v2v_bytes_add(out, s, strlen(s), err);
    if (v2v_bytes_add(out, "'", 1, err) < 0)
        return -1;
    for (; *s != '\0'; s++)
        if (*s == '\'' ? v2v_bytes_printf(out, err, "'\\''") < 0
                       : v2v_bytes_add(out, s, 1, err) < 0)
            return -1;
    return v2v_bytes_add(out, "'", 1, err);
}

/* An option and its value; without @value there is none. */
static int
add(struct v2v_bytes *out, const char *option, const char *value,
    struct v2v_error *err)
{
    if (v2v_bytes_printf(out, err, " --%s", option) < 0)
        return -1;
    return value != NULL ? add_word(value, out, err) : 0;
}

/* virt-install splits a value with Python's shlex, POSIX rules, at commas
 * (parse_optstr_tuples() in virtinst/cli.py). */
static int
escape_value(const char *s, struct v2v_bytes *out, struct v2v_error *err)
{
    for (; *s != '\0'; s++)
        if ((strchr("\\,'\"", *s) != NULL &&
             v2v_bytes_add(out, "\\", 1, err) < 0) ||
            v2v_bytes_add(out, s, 1, err) < 0)
            return -1;
    return 0;
}

static int
add_disk(const struct domain_guest_disk *disk, const struct hardware *hardware,
         struct v2v_bytes *out, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes value = { 0 };
    bool iothread = hardware->iothread && !hardware->virtio_scsi;

    if (v2v_bytes_printf(&value, err, "path=") < 0 ||
        escape_value(disk->path, &value, err) < 0 ||
        v2v_bytes_printf(&value, err, ",format=%s,bus=%s%s%s", disk->format,
                         hardware->disk_bus,
                         hardware->discard ? ",discard=unmap" : "",
                         iothread ? ",driver.iothread=1" : "") < 0 ||
        v2v_bytes_add(&value, "", 1, err) < 0)
        return -1;
    return add(out, "disk", (const char *)value.data, err);
}

static int
add_disks(const struct domain_guest *guest, const struct hardware *hardware,
          struct v2v_bytes *out, struct v2v_error *err)
{
    if (hardware->iothread && add(out, "iothreads", "1", err) < 0)
        return -1;
    if (hardware->virtio_scsi &&
        add(out, "controller",
            hardware->iothread ? "scsi,model=virtio-scsi,driver.iothread=1"
                               : "scsi,model=virtio-scsi",
            err) < 0)
        return -1;
    for (size_t i = 0; i < guest->disk_count; i++)
        if (add_disk(&guest->disks[i], hardware, out, err) < 0)
            return -1;
    return 0;
}

static int
add_network(const struct hardware *hardware,
            const struct domain_options *options, struct v2v_bytes *out,
            struct v2v_error *err)
{
    if (v2v_bytes_printf(out, err, " --network network=default,model=%s",
                         hardware->nic_model) < 0)
        return -1;
    if (options->nic_queues == 0 || !options->drivers.netkvm)
        return 0;
    return v2v_bytes_printf(out, err, ",driver.name=vhost,driver.queues=%u",
                            options->nic_queues);
}

static int
add_virtio_devices(const struct domain_options *options, struct v2v_bytes *out,
                   struct v2v_error *err)
{
    const struct domain_drivers *drivers = &options->drivers;
    bool stats = options->add[DOMAIN_ADD_BALLOON_STATS];
    const struct {
        bool wanted;
        const char *option, *value;
    } devices[] = {
        { !drivers->balloon, "memballoon", "model=none" },
        { drivers->balloon && !stats, "memballoon", "model=virtio" },
        { drivers->balloon && stats, "memballoon",
          "model=virtio,stats.period=5" },
        { drivers->viorng, "rng", "/dev/urandom" },
        { drivers->vioserial, "channel",
          "unix,target.type=virtio,target.name=org.qemu.guest_agent.0" },
        { drivers->pvpanic, "panic", "isa" },
    };

    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (devices[i].wanted &&
            add(out, devices[i].option, devices[i].value, err) < 0)
            return -1;
    return 0;
}

/* libosinfo's "win11" makes virt-install choose UEFI. */
static const char *
osinfo_hint(const struct domain_guest *guest)
{
    const char *hint = domain_osinfo(&guest->windows)->hint;

    return !guest->efi && strcmp(hint, "win11") == 0 ? "win10" : hint;
}

static int
add_machine(const struct domain_guest *guest, const struct hardware *hardware,
            struct v2v_bytes *out, struct v2v_error *err)
{
    if (add(out, "import", NULL, err) < 0 ||
        add(out, "name", guest->name, err) < 0 ||
        add(out, "osinfo", osinfo_hint(guest), err) < 0 ||
        add(out, "arch", hardware->arch, err) < 0 ||
        add(out, "machine", hardware->machine, err) < 0)
        return -1;
    if (!guest->efi)
        return 0;
    return add(out, "boot",
               "firmware=efi,firmware.feature0.name=secure-boot,"
               "firmware.feature0.enabled=no",
               err);
}

/* virtinst escapes a value and gives it to libxml2, which escapes it again
 * (set_attr() in virtinst/xmlapi.py of 4.1). */
static bool
is_writable(const struct domain_guest *guest)
{
    for (size_t i = 0; i < guest->disk_count; i++)
        if (strpbrk(guest->disks[i].path, "&<>'\"") != NULL ||
            !hardware_has_format(guest->disks[i].format))
            return false;
    return true;
}

int
domain_virt_install(const struct domain_guest *guest,
                    const struct domain_options *options, struct v2v_bytes *ret,
                    struct v2v_error *err)
{
    struct hardware hardware = hardware_choose(guest, options);
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };

    if (is_writable(guest) &&
        (v2v_bytes_printf(&out, err, "virt-install") < 0 ||
         add_machine(guest, &hardware, &out, err) < 0 ||
         add_disks(guest, &hardware, &out, err) < 0 ||
         add_network(&hardware, options, &out, err) < 0 ||
         add_virtio_devices(options, &out, err) < 0 ||
         add(&out, "graphics", "vnc", err) < 0 ||
         add(&out, "video", "vga", err) < 0 ||
         add(&out, "noautoconsole", NULL, err) < 0))
        return -1;
    *ret = out;
    out = (struct v2v_bytes){ 0 };
    return 0;
}
