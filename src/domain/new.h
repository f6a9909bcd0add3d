/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/new.h - a domain for a guest that has none yet
 *
 * The virt-install command that imports the image, and a domain XML for
 * "virsh define", with the same devices.
 */
#ifndef V2V_DOMAIN_NEW_H
#define V2V_DOMAIN_NEW_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "domain/domain.h"

/* What is known of the guest; strings are borrowed, UTF-8. */
struct domain_guest {
    const char *name;       /* for the new domain */
    const char *osinfo;     /* libosinfo's short id: "win10"; NULL: not known */
    const char *osinfo_url; /* its full id, for the metadata; or NULL */
    struct domain_windows windows;
    bool amd64; /* else x86 */
    bool efi, secure_boot;
    const char *const *disks;   /* absolute paths, the boot disk first */
    const char *const *formats; /* "qcow2", of each */
    size_t disk_count;
};

/* "virt-install --import ...": one line for a shell, every argument quoted
 * where it needs to be.  @options as for a rewrite. */
int domain_virt_install(const struct domain_guest *guest,
                        const struct domain_options *options,
                        struct v2v_bytes *ret, struct v2v_error *err);

/* A domain XML that libvirt's qemu driver defines. */
int domain_new(const struct domain_guest *guest,
               const struct domain_options *options, struct v2v_bytes *ret,
               struct v2v_error *err);

#endif
