/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the virt-install line or the domain XML for a guest that is described
 * on the command line, for tests/libvirt/virt-install.sh. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "domain/new.h"
#include "domain/osinfo.h"

enum { max_disks = 40 };

struct command {
    struct domain_guest guest;
    struct domain_guest_disk disks[max_disks];
    struct domain_options options;
};

static bool
take_os(const char *word, struct domain_windows *ret)
{
    for (size_t i = 0; i < domain_osinfo_count; i++)
        if (strcmp(word, domain_osinfos[i].name) == 0) {
            *ret = domain_osinfos[i].from;
            return true;
        }
    return false;
}

/* Anything else is the path of a disk. */
static void
take(const char *word, struct command *c)
{
    enum domain_feature feature;
    unsigned queues;

    for (size_t i = 0; i < DOMAIN_DRIVERS; i++)
        if (v2v_equal_nocase(word, domain_driver_name(i))) {
            *domain_driver(&c->options.drivers, i) = true;
            return;
        }
    if (take_os(word, &c->guest.windows))
        return;
    if (strcmp(word, "efi") == 0)
        c->guest.efi = true;
    else if (strcmp(word, "x86") == 0)
        c->guest.amd64 = false;
    else if (strcmp(word, "virtio-scsi") == 0)
        c->options.virtio_scsi = true;
    else if (word[0] == '+' && domain_find_feature(word + 1, &feature))
        c->options.add[feature] = true;
    else if (sscanf(word, "queues=%u", &queues) == 1)
        c->options.nic_queues = queues;
    else if (c->guest.disk_count < max_disks)
        c->disks[c->guest.disk_count++] =
            (struct domain_guest_disk){ .path = word, .format = "qcow2" };
}

int
main(int argc, char **argv)
{
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };
    struct v2v_error err = { 0 };
    struct command c = { .guest = { .name = "new", .amd64 = true } };

    if (argc < 2) {
        fprintf(stderr,
                "usage: %s line|xml OS [efi] [x86] [virtio-scsi] "
                "[DRIVER|+FEATURE|queues=N|DISK]...\n",
                argv[0]);
        return V2V_ERR_USAGE;
    }
    c.guest.disks = c.disks;
    for (int i = 2; i < argc; i++)
        take(argv[i], &c);
    if ((strcmp(argv[1], "line") == 0
             ? domain_virt_install(&c.guest, &c.options, &out, &err)
             : domain_new(&c.guest, &c.options, &out, &err)) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return (int)err.code;
    }
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}
