/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/xml.h - the subcommand "xml": a domain XML to virtio, without an image
 */
#ifndef V2V_CLI_XML_H
#define V2V_CLI_XML_H

#include "cli/console.h"
#include "cli/options.h"

/* Prints its result, as JSON also a failure. */
int xml(const struct cli_options *options, const struct console *console,
        struct v2v_error *err);

#endif
