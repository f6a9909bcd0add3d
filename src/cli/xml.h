/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/xml.h - the subcommand "xml": a domain XML to virtio, without an image
 */
#ifndef V2V_CLI_XML_H
#define V2V_CLI_XML_H

#include "cli/document.h"

/* Prints its result; with --json leaves it in @ret, also of a failure. */
int xml(const struct cli_options *options, struct answer *ret,
        struct v2v_error *err);

#endif
