/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/options.h - the command line
 *
 * One table serves getopt_long(), --help and --long-options (for completion
 * and for the test that the manual has them all).
 */
#ifndef V2V_CLI_OPTIONS_H
#define V2V_CLI_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "facts/facts.h"

struct cli_options {
    const char *image;
    const char *virtio_iso; /* --virtio-iso, or VIRTIO_WIN */
    const char *domain_xml, *output_xml;
    const char *format;
    const char *work_dir;
    int root; /* a partition's number, or FACTS_ANY_PARTITION */
    struct v2v_strings drivers;
    struct facts_allow allow;
    bool dry_run, json, quiet, verbose, trace;
    bool help, version, long_options;
};

/**
 * cli_options_parse() - options of "inject"
 * @argv: argv[0] is skipped; texts in @ret point into it
 * @ret:  cli_options_done(), also after a failure
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE.  With --help and the like nothing
 * else is checked.
 */
int cli_options_parse(int argc, char **argv, struct cli_options *ret,
                      struct v2v_error *err);
void cli_options_done(struct cli_options *options);

void cli_print_help(void);
void cli_print_long_options(void);

#endif
