/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/option-table.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
    /* those that cannot do without drivers, and with whom they say more */
    MEDIUM = CLI_INJECT | CLI_DRIVERS_LIST | CLI_DRIVERS_EXPLAIN,
    DRIVERS = MEDIUM | CLI_CHECK,
    /* those that look into a guest */
    GUEST = CLI_INJECT | CLI_DRIVERS_EXPLAIN | CLI_CHECK | CLI_VERIFY,
    CHOICE = CLI_INJECT | CLI_DRIVERS_EXPLAIN | CLI_CHECK,
    IMAGE = GUEST | CLI_UNDO | CLI_RECOVER, /* those that open an image */
    REWRITE = CLI_INJECT | CLI_XML,         /* make a domain XML of another */
    ALL = DRIVERS | IMAGE | CLI_XML,
    EVERY = ALL | CLI_BATCH,
    LINE = CLI_INJECT | CLI_CHECK /* what a batch runs */
};

#define TEXT(field)                                                            \
    .take = cli_take_text, .place = offsetof(struct cli_options, field)
#define FLAG(field)                                                            \
    .take = cli_take_flag, .place = offsetof(struct cli_options, field)
#define ANOTHER(field)                                                         \
    .take = cli_take_another, .place = offsetof(struct cli_options, field)
#define NUMBER(field, first, last)                                             \
    .take = cli_take_number, .place = offsetof(struct cli_options, field),     \
    .min = (first), .max = (last)

/* queues: MAX_TAP_QUEUES of Linux' drivers/net/tun.c; memory: MIN_MEMSIZE of
 * libguestfs' lib/guestfs-internal.h; processors: guestfs_set_smp() there. */
enum { QUEUES_MAX = 256, MEMSIZE_MIN = 256, SMP_MAX = 255 };

/* Of a batch; a day is the longest pause. */
enum { JOBS_MAX = 4096, RETRIES_MAX = 1000, PAUSE_MAX = 24 * 60 * 60 };

static const struct cli_option options[] = {
    { "image", 'a', IMAGE, "FILE",
      "an image; may be repeated, and is the same as a plain FILE",
      .take = cli_take_image, .values = CLI_FILES, .alone = true },
    { "format", 0, GUEST | CLI_UNDO, "FORMAT",
      "qcow2, raw, ... of the images after it [auto: by probing]",
      .take = cli_take_format, .values = CLI_WORD, .word = cli_format_word },
    { "domain", 'd', GUEST, "NAME",
      "XML and disks of this machine come from libvirt", TEXT(domain),
      .values = CLI_DOMAINS },
    { "connect", 'c', IMAGE, "URI",
      "which libvirt, as qemu:///system [libvirt's default]", TEXT(connect) },
    { "virtio-iso", 0, DRIVERS, "FILE",
      "virtio-win.iso, .vfd or folder; may be repeated [$VIRTIO_WIN]",
      ANOTHER(media), .values = CLI_FILES },
    { "domain-xml", 0, GUEST, "FILE", "libvirt XML of the machine",
      TEXT(domain_xml), .values = CLI_FILES },
    { "output-xml", 0, CLI_INJECT, "FILE", "where the virtio XML goes",
      TEXT(output_xml), .values = CLI_FILES },
    { "drivers", 0, CHOICE | CLI_XML, "LIST",
      "names on the medium [viostor,NetKVM,Balloon]", .take = cli_take_drivers,
      .values = CLI_LIST, .word = cli_driver_word },
    { "block-driver", 0, GUEST | CLI_XML, "DRIVER",
      "virtio-blk (viostor) or virtio-scsi (vioscsi) [virtio-blk]",
      .take = cli_take_block_driver, .values = CLI_WORD,
      .word = cli_block_driver_word },
    { "add", 0, REWRITE, "LIST",
      "rng, balloon-stats, agent-channel, pvpanic, hyperv, hypervclock, "
      "discard, iothread",
      .take = cli_take_features, .values = CLI_LIST, .word = cli_feature_word },
    { "nic-queues", 0, REWRITE, "N", "queues of each virtio interface",
      NUMBER(nic_queues, 1, QUEUES_MAX) },
    { "diff", 0, CLI_XML, NULL, "what changes, on standard output",
      FLAG(diff) },
    { "root", 0, GUEST, "[DISK:]N",
      "which Windows: its partition's number; single or first [single]",
      .take = cli_take_root, .values = CLI_WORD, .word = cli_root_word },
    { "key", 0, GUEST, "SELECTOR",
      "ID:key:STRING or ID:file:FILENAME opens BitLocker; ID is /dev/sda2, an "
      "identifier or all; may be repeated",
      .take = cli_take_key, .values = CLI_KEY },
    { "output", 0, CLI_INJECT, "FILE",
      "make a new qcow2; the image is only read", TEXT(output),
      .values = CLI_FILES },
    { "no-undo", 0, CLI_INJECT, NULL, "keep nothing for \"v2v-virtio undo\"",
      FLAG(no_undo) },
    { "list", 0, CLI_UNDO, NULL, "what can be undone, of images or in folders",
      FLAG(list) },
    { "work-dir", 0, IMAGE, "DIR", "where the overlay goes [beside the image]",
      TEXT(work_dir), .values = CLI_FOLDERS },
    { "allow", 0, CHOICE, "CODES",
      "let findings pass that block, as hive-dirty", .take = cli_take_allowed,
      .values = CLI_LIST, .word = cli_allowed_word },
    { "backend", 0, GUEST, "WHICH",
      "auto, direct or libguestfs: who opens the guest [auto]",
      .take = cli_take_backend, .values = CLI_WORD, .word = cli_backend_word },
    { "memsize", 'm', GUEST, "MB",
      "memory of libguestfs' appliance [$LIBGUESTFS_MEMSIZE]",
      NUMBER(memsize, MEMSIZE_MIN, INT_MAX) },
    { "smp", 0, GUEST, "N", "processors of libguestfs' appliance [1]",
      NUMBER(smp, 1, SMP_MAX) },
    { "sandbox", 0, IMAGE, "MODE",
      "auto, require or off: for what reads the guest [auto]",
      .take = cli_take_sandbox, .values = CLI_WORD, .word = cli_sandbox_word },
    { "check", 0, CLI_BATCH, NULL, "only \"check\" the machines of the list",
      FLAG(batch.check) },
    { "jobs", 0, CLI_BATCH, "N", "images at once [processors of this host]",
      NUMBER(batch.jobs, 1, JOBS_MAX) },
    { "mem", 0, CLI_BATCH, "MIB",
      "memory for all of them [3/4 of what is available]",
      NUMBER(batch.memory_mib, 1, INT_MAX) },
    { "resume", 0, CLI_BATCH, NULL, "go on: only what is not done",
      FLAG(batch.resume) },
    { "retries", 0, CLI_BATCH, "N", "of an image that is in use [5]",
      NUMBER(batch.retries, 0, RETRIES_MAX) },
    { "retry-pause", 0, CLI_BATCH, "SECONDS",
      "before the first of them; then twice that, and so on [10]",
      NUMBER(batch.retry_pause, 0, PAUSE_MAX) },
    { "collect", 0, CLI_BATCH, NULL,
      "run nothing: make the ledger of the result files", FLAG(batch.collect) },
    { "slurm", 0, CLI_BATCH, NULL,
      "let Slurm run them; what follows \"--\" is for sbatch",
      FLAG(batch.slurm) },
    { "line", 0, CLI_BATCH, "N", "only that line of the list, and no ledger",
      NUMBER(batch.line, 1, INT_MAX) },
    { "report", 0, CLI_BATCH, "FILE",
      "what became of all, as .html, .csv or .json; may be repeated",
      ANOTHER(batch.reports), .values = CLI_FILES },
    { "report-only", 0, CLI_BATCH, NULL,
      "write the reports on the batch as it is, and no more",
      FLAG(batch.report_only) },
    { "dry-run", 'n', CLI_INJECT | CLI_BATCH, NULL,
      "print the plan; write nothing", FLAG(dry_run) },
    { "json", 0, EVERY, NULL, "one JSON document on standard output",
      FLAG(json) },
    { "events", 0, ALL, "FILE|fd:N",
      "JSON lines as it happens: phases, progress, findings, ...", TEXT(events),
      .values = CLI_FILES, .alone = true },
    { "machine-readable", 0, ALL, "[=WHERE]",
      "what libguestfs' tools print for programs; WHERE is file:FILE, "
      "stream:stdout, stream:stderr or fd:N; alone: what this program can",
      TEXT(machine_readable), .alone = true },
    { "colors", 0, EVERY, NULL, "colours also without a terminal",
      FLAG(colors) },
    { "colours", 0, EVERY, NULL, "the same", FLAG(colors) },
    { "quiet", 'q', EVERY, NULL,
      "no steps, no report; warnings and errors only", FLAG(quiet) },
    { "verbose", 'v', ALL, NULL, "facts and choices as well", FLAG(verbose) },
    { "trace", 'x', ALL, NULL, "what libguestfs does as well", FLAG(trace) },
    { "help", 'h', EVERY, NULL, "this text", FLAG(help) },
    { "version", 'V', EVERY, NULL, "the program's version", FLAG(version) },
    { "long-options", 0, EVERY, NULL, "the options' names, for scripts",
      FLAG(long_options) },
};

static const struct cli_command_words commands[] = {
    { CLI_INJECT,
      { "inject", NULL },
      "IMAGE... --virtio-iso FILE",
      "make a Windows image boot on virtio devices" },
    { CLI_CHECK,
      { "check", NULL },
      "IMAGE...",
      "say what stands in the way; reads only" },
    { CLI_VERIFY,
      { "verify", NULL },
      "IMAGE...",
      "would it boot?  reads only" },
    { CLI_BATCH,
      { "batch", NULL },
      "MANIFEST --virtio-iso FILE",
      "the same for all machines of a list, several at once" },
    { CLI_XML,
      { "xml", NULL },
      "IN.xml [OUT.xml]",
      "turn a domain XML to virtio; there is no image" },
    { CLI_UNDO,
      { "undo", NULL },
      "IMAGE",
      "take the last injection back; --list shows them" },
    { CLI_RECOVER,
      { "recover", NULL },
      "IMAGE",
      "end what an interrupted run has begun" },
    { CLI_DRIVERS_LIST,
      { "drivers", "list" },
      "MEDIUM...",
      "what is on a driver medium" },
    { CLI_DRIVERS_EXPLAIN,
      { "drivers", "explain" },
      "IMAGE MEDIUM...",
      "which drivers a guest would get, and why" },
};

enum {
    OPTION_COUNT = sizeof options / sizeof *options,
    COMMAND_COUNT = sizeof commands / sizeof *commands
};

const struct cli_option *
cli_option_table(size_t *count)
{
    *count = OPTION_COUNT;
    return options;
}

const struct cli_command_words *
cli_command_table(size_t *count)
{
    *count = COMMAND_COUNT;
    return commands;
}

const struct cli_option *
cli_find_option(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

bool
cli_is_for_lines(const struct cli_option *option)
{
    return (option->commands & LINE) != 0 &&
           (option->commands & CLI_BATCH) == 0 && !option->alone;
}

bool
cli_goes_with(const struct cli_option *option, enum cli_command command)
{
    return (option->commands & (int)command) != 0 ||
           (command == CLI_BATCH && cli_is_for_lines(option));
}

bool
cli_argument_is_optional(const struct cli_option *option)
{
    return strncmp(option->argument, "[=", 2) == 0;
}

const struct cli_option *
cli_find_letter(char letter)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (letter != '\0' && options[i].letter == letter)
            return &options[i];
    return NULL;
}

int
cli_command_len(const struct cli_command_words *command)
{
    return command->words[1] != NULL ? 2 : 1;
}

const struct cli_command_words *
cli_find_command(int argc, char *const *argv)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *const *words = commands[i].words;

        if (argc >= cli_command_len(&commands[i]) &&
            strcmp(argv[0], words[0]) == 0 &&
            (words[1] == NULL || strcmp(argv[1], words[1]) == 0))
            return &commands[i];
    }
    return NULL;
}

const struct cli_command_words *
cli_command_words(enum cli_command command)
{
    size_t i = 0;

    while (commands[i].command != command)
        i++;
    return &commands[i];
}

struct cli_command_name
cli_command_name(const struct cli_command_words *command)
{
    struct cli_command_name ret;

    snprintf(ret.text, sizeof ret.text, "%s%s%s", command->words[0],
             command->words[1] != NULL ? " " : "",
             command->words[1] != NULL ? command->words[1] : "");
    return ret;
}
