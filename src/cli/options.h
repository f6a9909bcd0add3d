/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/options.h - the command line
 *
 * One table (option-table.h) serves getopt_long(), the help, the completion and
 * the test that the manual has them all.
 */
#ifndef V2V_CLI_OPTIONS_H
#define V2V_CLI_OPTIONS_H

#include <stdbool.h>
#include <string.h>

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
    CLI_XML = 128,
    CLI_BATCH = 256
};

/* What "batch" alone has. */
struct cli_batch {
    const char *manifest;
    struct v2v_strings defaults; /* options for all lines, as words of a command
                                    line: "--drivers=viostor", "--no-undo" */
    bool check; /* the lines are for "check"; else for "inject" */
    bool resume, collect;
    bool slurm;    /* it runs the lines; with @line or @collect: this is
                      one of its jobs */
    unsigned line; /* of the manifest, only that one; 0: all */
    char **sbatch; /* options for sbatch, in argv */
    size_t sbatch_count;
    struct v2v_strings reports; /* files, which batch/report.h writes */
    bool report_only;
    unsigned jobs, memory_mib; /* 0: what the host has room for */
    unsigned retries;          /* of what is busy or was interrupted */
    unsigned retry_pause;      /* seconds before the first */
};

#define CLI_FORMAT_AUTO "auto"

struct cli_options {
    enum cli_command command;
    int command_len; /* its words behind the program's name; 0: only --help and
                        the like were said */
    struct v2v_strings images;  /* the disks of one machine; one with "undo"
                                   and "recover"; with "undo --list" also
                                   folders */
    struct v2v_strings formats; /* as many: each one's, or CLI_FORMAT_AUTO; see
                                   cli_image_format() */
    struct v2v_strings media;   /* --virtio-iso, arguments, or VIRTIO_WIN */
    const char *domain_xml, *output_xml; /* of "xml": its two arguments, where
                                            "-" is standard input and output;
                                            output_xml may be NULL */
    const char *domain;  /* --domain: name or UUID in libvirt; no images then */
    const char *connect; /* URI; NULL: libvirt's default */
    const char *output;  /* a new image; NULL: the image itself changes */
    const char *format;  /* of the images from here on; NULL: not said */
    size_t images_before_format; /* how many had been named with -a by then */
    const char *work_dir;
    struct facts_root root;
    struct v2v_strings keys; /* --key, selectors: cli/keys.h; never shown */
    enum guest_choice backend;
    enum sandbox_mode sandbox;
    struct v2v_strings drivers;
    struct v2v_strings allow; /* codes of check/, which can be allowed */
    bool virtio_scsi; /* the boot disk goes to virtio-scsi, not virtio-blk */
    bool has_block_driver; /* it was said; else the drivers say it */
    bool add[DOMAIN_FEATURES];
    unsigned nic_queues; /* 0: as they are */
    unsigned memsize;    /* of the appliance, MB; 0: libguestfs' default */
    unsigned smp;        /* its processors; 0: the same */
    bool diff;           /* of the XML, on standard output */
    bool no_undo, list;
    struct cli_batch batch;
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

/* QEMU's name of the format of images[i] as it was given; NULL: by probing. */
static inline const char *
cli_image_format(const struct cli_options *options, size_t i)
{
    const char *format = options->formats.items[i];

    return strcmp(format, CLI_FORMAT_AUTO) == 0 ? NULL : format;
}

/**
 * cli_option_word() - what a manifest says, as a word of the command line
 * @command: that the word is for: CLI_INJECT or CLI_CHECK
 * @name:    an option's long name
 * @value:   its argument; of an option that has none, "yes" or "no"
 * @folder:  what the name of a file is relative to
 * @ret:     new: "--domain-xml=/vms/a.xml"; NULL: it is not to be given
 *
 * For CLI_CHECK what only inject takes is passed over: one manifest serves
 * both.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE: no such option, or not for a machine.
 */
int cli_option_word(enum cli_command command, const char *name,
                    const char *value, const char *folder, char **ret,
                    struct v2v_error *err);

/* No: of the words that hold for all lines, it is passed over, too. */
bool cli_word_counts(enum cli_command command, const char *word);

/* FOLDER/PATH, or PATH when that is absolute; a new string. */
char *cli_path_in(const char *folder, const char *path, struct v2v_error *err);

/* Does the command change images?  If not, it opens them for reading only. */
bool cli_writes(const struct cli_options *options);

/* What the command line says of the XML's rewrite; the rest is zero. */
struct domain_options cli_domain_options(const struct cli_options *options);

/* Is the finding among those of --allow? */
bool cli_allows(const struct cli_options *options, const char *code);

/* For "help" and --help: of one command, or of all that begin with these words;
 * without any the program's.  On standard output.
 * Returns: 0, or -1 with V2V_ERR_USAGE: there is no such command. */
int cli_print_help(int argc, char *const *argv, struct v2v_error *err);
void cli_print_long_options(void);
/* What --machine-readable says on its own, one a line. */
void cli_print_capabilities(void);

/* For the shell: what may stand in place of the last of these words, which are
 * those behind the program's name.  One a line, or as the first line
 *   @files, @folders   names of such
 *   @domains           of libvirt, whose URI is on the second line, if it was
 *                      said
 *   @list              the lines behind it, with commas between */
void cli_print_completions(int argc, char *const *argv);

#endif
