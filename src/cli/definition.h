/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/definition.h - --domain: the machine is one that a libvirt has
 *
 * Between host/, which talks to libvirt, and the others: each call has a
 * connection of its own, as minutes lie between them, and processes.
 */
#ifndef V2V_CLI_DEFINITION_H
#define V2V_CLI_DEFINITION_H

#include "cli/disks.h"
#include "host/host.h"
#include "image/image.h"

/* All zero: the machine is not libvirt's. */
struct definition_taken {
    char *uri;                 /* as libvirt says */
    struct host_domain domain; /* name NULL: none */
};

/**
 * definition_take() - what --domain names
 * @ret:    definition_taken_done(), also after a failure
 * @domain: its XML, parsed; new
 * @disks:  all zero
 *
 * Returns: 0, or -1 as host_connect(), host_take(), domain_parse() and
 * cli_disks_of_domain().
 */
int definition_take(const struct cli_options *options,
                    struct definition_taken *ret, struct domain **domain,
                    struct cli_disks *disks, struct v2v_error *err);
void definition_taken_done(struct definition_taken *taken);

/**
 * definition_check() - can it be replaced by @xml?
 *
 * Returns: 0, or -1 as host_take() if it cannot be changed any more,
 * V2V_ERR_BUSY "domain-changed": it was edited since it was taken; and as
 * host_accepts().
 */
int definition_check(const struct cli_options *options,
                     const struct definition_taken *taken, const char *xml,
                     struct v2v_error *err);

/* What image/ reads and replaces definitions with, from now on: the libvirt of
 * --connect, or else that which an image's files name.  @options has to live
 * on.
 */
void definition_set_ops(const struct cli_options *options);

#endif
