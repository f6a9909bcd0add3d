/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/new.h - a domain for a guest that has none yet
 *
 * The virt-install command that imports the images, and a domain XML for
 * "virsh define", with the same devices: virtio where a driver was injected,
 * else hardware that this Windows has a driver of its own for.  A UEFI machine
 * gets a firmware without Secure Boot: what the old one enforced is not known,
 * and no guest needs it.  Two things differ, as only virt-install knows the
 * host: it gives a UEFI machine a TPM if there is swtpm, and takes memory and
 * processors from libosinfo; the XML has no TPM, 4 GiB and two cores.
 */
#ifndef V2V_DOMAIN_NEW_H
#define V2V_DOMAIN_NEW_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "domain/domain.h"
#include "domain/osinfo.h"

struct domain_guest_disk {
    const char *path;   /* absolute */
    const char *format; /* QEMU's name: "qcow2" */
    bool block;         /* a device, not a file */
};

/* What is known of the guest; strings are borrowed. */
struct domain_guest {
    const char *name; /* domain_new_name() */
    struct domain_windows windows;
    bool amd64;                            /* else x86 */
    bool efi;                              /* it boots from GPT; else BIOS */
    const struct domain_guest_disk *disks; /* the boot disk first */
    size_t disk_count;
};

/* A name for the domain: that of @image without folder and suffix, and with '-'
 * for all but ASCII letters, digits and "._+".  @ret: a new string. */
int domain_new_name(const char *image, char **ret, struct v2v_error *err);

/**
 * domain_virt_install() - "virt-install --import ...", ready to be pasted
 * @options: as for a rewrite; ->moved is not looked at
 * @ret:     one line without its end, ASCII or UTF-8, every argument quoted
 *           for a shell (bash, ksh or zsh, if a path has control characters)
 *           and for virt-install's own parser; empty when there can be none: a
 *           path holds one of & < > ' ", which virt-install 4.1 writes wrongly
 *           into its XML, or libvirt has no such format (vhdx)
 *
 * It starts the domain and does not wait for its end.
 */
int domain_virt_install(const struct domain_guest *guest,
                        const struct domain_options *options,
                        struct v2v_bytes *ret, struct v2v_error *err);

/**
 * domain_new() - a domain XML that libvirt's qemu driver defines
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE for a path that no XML can hold, or a
 * format that libvirt does not have.
 */
int domain_new(const struct domain_guest *guest,
               const struct domain_options *options, struct v2v_bytes *ret,
               struct v2v_error *err);

#endif
