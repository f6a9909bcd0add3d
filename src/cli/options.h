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
#include "domain/domain.h"
#include "facts/facts.h"
#include "facts/find.h"
#include "guest/guest.h"
#include "sandbox/sandbox.h"

/* Bits, so that an option can belong to several. */
enum cli_command {
    CLI_INJECT = 1,
    CLI_DRIVERS_LIST = 2,
    CLI_DRIVERS_EXPLAIN = 4,
    CLI_UNDO = 8,
    CLI_RECOVER = 16,
    CLI_CHECK = 32,
    CLI_VERIFY = 64,
    CLI_XML = 128
};

struct cli_options {
    enum cli_command command;
    struct v2v_strings images; /* the disks of one machine; one with "undo",
                                  "recover" and "drivers explain"; with "undo
                                  --list" also folders */
    struct v2v_strings media;  /* --virtio-iso, arguments, or VIRTIO_WIN */
    const char *domain_xml, *output_xml; /* of "xml": its two arguments, where
                                            "-" is standard input and output;
                                            output_xml may be NULL */
    const char *domain;  /* --domain: name or UUID in libvirt; no images then */
    const char *connect; /* URI; NULL: libvirt's default */
    const char *output;  /* a new image; NULL: the image itself changes */
    const char *format;
    const char *work_dir;
    struct facts_root root;
    enum guest_choice backend;
    enum sandbox_mode sandbox;
    struct v2v_strings drivers;
    struct v2v_strings allow; /* codes of check/, which can be allowed */
    bool virtio_scsi; /* the boot disk goes to virtio-scsi, not virtio-blk */
    bool has_block_driver; /* it was said; else the drivers say it */
    bool add[DOMAIN_FEATURES];
    unsigned nic_queues; /* 0: as they are */
    bool diff;           /* of the XML, on standard output */
    bool no_undo, list;
    const char *events;           /* --events: a file or "fd:N"; NULL: none */
    const char *machine_readable; /* "stream:stderr"; "": no argument */
    bool capabilities;            /* it stood alone */
    bool colors;                  /* also where there is no terminal */
    bool dry_run, json, quiet, verbose, trace;
    bool help, version, long_options;
};

/**
 * cli_options_parse() - the whole command line
 * @argv: argv[0] is skipped; texts in @ret point into it
 * @ret:  cli_options_done(), also after a failure
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE.  With --help and the like nothing
 * else is checked.
 */
int cli_options_parse(int argc, char **argv, struct cli_options *ret,
                      struct v2v_error *err);
void cli_options_done(struct cli_options *options);

/* Does the command change images?  If not, it opens them for reading only. */
bool cli_writes(const struct cli_options *options);

/* What the command line says of the XML's rewrite; the rest is zero. */
struct domain_options cli_domain_options(const struct cli_options *options);

/* Is the finding among those of --allow? */
bool cli_allows(const struct cli_options *options, const char *code);

void cli_print_help(void);
void cli_print_long_options(void);
/* What --machine-readable says on its own, one a line. */
void cli_print_capabilities(void);

#endif
