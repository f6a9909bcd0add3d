/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/disks.h - the disks of the machine, whoever has named them
 */
#ifndef V2V_CLI_DISKS_H
#define V2V_CLI_DISKS_H

#include "cli/options.h"
#include "domain/domain.h"
#include "host/host.h"

struct cli_disk {
    char *path;
    char *format; /* QEMU's name; NULL: by magic */
    bool beside;  /* libvirt has named it, and the machine boots from another:
                     it may be one that nobody has formatted yet */
};

struct cli_disks {
    struct cli_disk *items;
    size_t count;
};

/* Those of the command line, in its order.  @ret: all zero; both: cli_disks_
 * done(), also after a failure. */
int cli_disks_named(const struct cli_options *options, struct cli_disks *ret,
                    struct v2v_error *err);

/**
 * cli_disks_of_domain() - the hard disks of a domain, in the order of its XML
 *
 * A data disk whose content is not to be had here (on the network, encrypted)
 * is left out with a warning.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST "disk-source": that is so of the one
 * that the machine boots from, or of all; and with what host_volume_path() has.
 */
int cli_disks_of_domain(struct host *host, const struct domain *domain,
                        struct cli_disks *ret, struct v2v_error *err);

/* Without disk @i, with a warning. */
void cli_disks_leave_out(struct cli_disks *disks, size_t i, const char *why);

void cli_disks_done(struct cli_disks *disks);

#endif
