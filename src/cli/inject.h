/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/inject.h - the subcommand "inject"
 */
#ifndef V2V_CLI_INJECT_H
#define V2V_CLI_INJECT_H

#include "cli/report.h"

/**
 * inject() - make one image boot on virtio
 * @report: all zero but for its options; filled in as far as the run came
 *
 * Everything that can be refused is refused before the first write; the image
 * is written in one step at the end, then the domain XML.
 */
int inject(struct report *report, struct v2v_error *err);

#endif
