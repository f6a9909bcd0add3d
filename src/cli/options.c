/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/keys.h"
#include "cli/near.h"
#include "cli/option-table.h"

/* Five of them, doubled each, are 5 minutes; s. */
enum { DEFAULT_RETRIES = 5, DEFAULT_RETRY_PAUSE = 10 };

static const char drivers_blk[] = "viostor,NetKVM,Balloon";
static const char drivers_scsi[] = "vioscsi,NetKVM,Balloon";

bool
cli_writes(const struct cli_options *options)
{
    return (options->command == CLI_INJECT && !options->dry_run) ||
           (options->command == CLI_UNDO && !options->list) ||
           options->command == CLI_RECOVER;
}

struct domain_options
cli_domain_options(const struct cli_options *options)
{
    struct domain_options ret = { .virtio_scsi = options->virtio_scsi,
                                  .nic_queues = options->nic_queues };

    memcpy(ret.add, options->add, sizeof ret.add);
    return ret;
}

bool
cli_allows(const struct cli_options *options, const char *code)
{
    return v2v_strings_has_nocase(&options->allow, code);
}

/* getopt_long() ------------------------------------------------------------ */

/* What it returns for the table's row: a letter, or a number behind them. */
static int
value_of(const struct cli_option *table, size_t i)
{
    return table[i].letter != '\0' ? table[i].letter : UCHAR_MAX + 1 + (int)i;
}

static int
argument_kind(const struct cli_option *option)
{
    if (option->argument == NULL)
        return no_argument;
    return cli_argument_is_optional(option) ? optional_argument
                                            : required_argument;
}

/* The same in its own words; ":": tell a missing argument apart. */
static void
make_getopt(const struct cli_option *table, size_t count, char *letters,
            struct option *ret)
{
    *letters++ = ':';
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct option){ .name = table[i].name,
                                  .has_arg = argument_kind(&table[i]),
                                  .val = value_of(table, i) };
        if (table[i].letter == '\0')
            continue;
        *letters++ = table[i].letter;
        if (table[i].argument != NULL)
            *letters++ = ':';
    }
    *letters = '\0';
}

static const struct cli_option *
find_value(int value)
{
    size_t count;
    const struct cli_option *table = cli_option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (value_of(table, i) == value)
            return &table[i];
    return NULL;
}

/* "--formt", "--format=": without its argument, and without the "--". */
static int
refuse_unknown(const char *word, struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = NULL;
    struct near near = { 0 };
    size_t count;
    const struct cli_option *table = cli_option_table(&count);

    if (strncmp(word, "--", 2) != 0)
        return v2v_fail(err, V2V_ERR_USAGE, "-%c: no such option", optopt);
    name = v2v_strndup(word + 2, strcspn(word + 2, "="), err);
    if (name == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        near_offer(&near, name, table[i].name);
    return v2v_fail(err, V2V_ERR_USAGE, "--%s: no such option%s%s%s", name,
                    near.best != NULL ? ": did you mean --" : "",
                    near.best != NULL ? near.best : "",
                    near.best != NULL ? "?" : "");
}

/* getopt_long() tells of an argument too much by optopt. */
static int
refuse_option(int what, const char *word, struct v2v_error *err)
{
    const struct cli_option *option = find_value(optopt);

    if (what == ':')
        return v2v_fail(err, V2V_ERR_USAGE, "%s: needs an argument: %s", word,
                        option->argument);
    if (option != NULL)
        return v2v_fail(err, V2V_ERR_USAGE, "--%s takes no argument",
                        option->name);
    return refuse_unknown(word, err);
}

/* "check, verify": those that have the option. */
static int
refuse_here(const struct cli_option *option, const struct cli_options *options,
            struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    size_t count;
    const struct cli_command_words *table = cli_command_table(&count);

    for (size_t i = 0; i < count; i++)
        if (cli_goes_with(option, table[i].command) &&
            v2v_bytes_list(&names, err, "%s",
                           cli_command_name(&table[i]).text) < 0)
            return -1;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "--%s does not go with %s, but with %.*s", option->name,
                    cli_command_name(cli_command_words(options->command)).text,
                    (int)names.len, (const char *)names.data);
}

static int
take(const struct cli_option *option, struct cli_options *ret,
     struct v2v_error *err)
{
    if (ret->command_len > 0 && !cli_goes_with(option, ret->command))
        return refuse_here(option, ret, err);
    if (ret->command == CLI_BATCH && cli_is_for_lines(option))
        return cli_take_default(option, optarg, ret, err);
    return option->take(option, optarg, ret, err);
}

static int
getopt_loop(int argc, char **argv, struct cli_options *ret,
            struct v2v_error *err)
{
    size_t count;
    const struct cli_option *table = cli_option_table(&count);
    V2V_AUTO(mem) struct option *options = calloc(count + 1, sizeof *options);
    char letters[2 * UCHAR_MAX];

    if (options == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    make_getopt(table, count, letters, options);
    opterr = 0;
    optind = 0; /* GNU's way to begin anew */
    for (int value;
         (value = getopt_long(argc, argv, letters, options, NULL)) != -1;)
        if (value == '?' || value == ':'
                ? refuse_option(value, argv[optind - 1], err) < 0
                : take(find_value(value), ret, err) < 0)
            return -1;
    return 0;
}

/* What is left: images, media, files ------------------------------------- */

/* As virt-v2v has it, or older versions of that had it.
 * Source: virt-v2v(1), "ENVIRONMENT VARIABLES". */
static const char *
virtio_win(void)
{
    static const char *const names[] = { "VIRTIO_WIN", "VIRTIO_WIN_DIR" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && *value != '\0')
            return value;
    }
    return NULL;
}

static int
take_media(int argc, char **argv, struct cli_options *ret,
           struct v2v_error *err)
{
    const char *fallback = virtio_win();

    for (; optind < argc; optind++)
        if (v2v_strings_add(&ret->media, argv[optind], err) < 0)
            return -1;
    if (ret->media.count == 0 && fallback != NULL &&
        v2v_strings_add(&ret->media, fallback, err) < 0)
        return -1;
    if (ret->media.count == 0 && ret->command != CLI_CHECK)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "no drivers: say where virtio-win.iso is with "
                        "--virtio-iso or VIRTIO_WIN");
    return 0;
}

/* A format behind -a would be for nothing, and its image be probed. */
static int
check_format(const struct cli_options *options, struct v2v_error *err)
{
    if (options->format == NULL || options->images.count == 0 ||
        options->images_before_format < options->images.count)
        return 0;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "--format %s is for the images after it: put it before -a",
                    options->format);
}

/* "undo --list" takes whatever there is; what follows the image of "drivers
 * explain" is its media. */
static int
take_images(int argc, char **argv, struct cli_options *ret,
            struct v2v_error *err)
{
    bool explains = ret->command == CLI_DRIVERS_EXPLAIN;
    bool one = ret->command == CLI_UNDO || ret->command == CLI_RECOVER;
    bool named = ret->domain != NULL || (explains && ret->images.count > 0);

    while (optind < argc && !(explains && named)) {
        if (cli_take_image(NULL, argv[optind++], ret, err) < 0)
            return -1;
        named = true;
    }
    if (ret->list && ret->images.count == 0)
        return cli_take_image(NULL, ".", ret, err);
    if (ret->domain == NULL && ret->images.count == 0)
        return v2v_fail(err, V2V_ERR_USAGE, "which image?");
    if (one && !ret->list && ret->images.count > 1)
        return v2v_fail(err, V2V_ERR_USAGE, "one image at a time");
    return check_format(ret, err);
}

/* Who names one boot driver means its disk. */
static int
take_block_driver(struct cli_options *ret, struct v2v_error *err)
{
    bool has_blk = v2v_strings_has_nocase(&ret->drivers, "viostor");
    bool has_scsi = v2v_strings_has_nocase(&ret->drivers, "vioscsi");

    if (ret->drivers.count == 0)
        return cli_split_list(ret->virtio_scsi ? drivers_scsi : drivers_blk,
                              &ret->drivers, err);
    if (!ret->has_block_driver)
        ret->virtio_scsi = has_scsi && !has_blk;
    if (!ret->virtio_scsi || has_scsi)
        return 0;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "--block-driver virtio-scsi: the guest needs vioscsi for "
                    "it: %sadd it to --drivers",
                    ret->command == CLI_XML ? "if it has that, " : "");
}

/* An XML whose machine has what "--add" asked for needs the driver in the
 * guest: "inject" puts it there, "xml" has to be told that it is. */
static int
take_feature_drivers(struct cli_options *ret, struct v2v_error *err)
{
    for (size_t i = 0; i < DOMAIN_FEATURES; i++) {
        const char *driver = domain_feature_driver((enum domain_feature)i);

        if (!ret->add[i] || driver == NULL ||
            v2v_strings_has_nocase(&ret->drivers, driver))
            continue;
        if (ret->command == CLI_XML)
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--add %s: the guest needs %s for it: if it has "
                            "that, add it to --drivers",
                            domain_feature_name((enum domain_feature)i),
                            driver);
        if (v2v_strings_add(&ret->drivers, driver, err) < 0)
            return -1;
    }
    return 0;
}

static int
take_drivers(int argc, char **argv, struct cli_options *ret,
             struct v2v_error *err)
{
    if (take_media(argc, argv, ret, err) < 0 || take_block_driver(ret, err) < 0)
        return -1;
    return take_feature_drivers(ret, err);
}

/* There is no medium to say whether it is a name: a misspelt one would leave a
 * device as it is, and nobody would be told. */
static int
check_driver_name(const char *name, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };

    for (size_t i = 0; cli_driver_word(i) != NULL; i++)
        if (v2v_equal_nocase(name, cli_driver_word(i)))
            return 0;
    for (size_t i = 0; i < DOMAIN_DRIVERS; i++)
        if (v2v_bytes_list(&names, err, "%s", domain_driver_name(i)) < 0)
            return -1;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "--drivers %s: no driver of virtio-win; an XML depends on "
                    "%.*s",
                    name, (int)names.len, (const char *)names.data);
}

static int
take_xml(int argc, char **argv, struct cli_options *ret, struct v2v_error *err)
{
    if (argc - optind < 1 || argc - optind > 2)
        return v2v_fail(err, V2V_ERR_USAGE, "which XML?  IN.xml [OUT.xml]");
    ret->domain_xml = argv[optind];
    ret->output_xml = optind + 1 < argc        ? argv[optind + 1]
                      : ret->diff || ret->json ? NULL
                                               : "-";
    if ((ret->diff || ret->json) && ret->output_xml != NULL &&
        strcmp(ret->output_xml, "-") == 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--diff and --json take standard output: the XML needs "
                        "a file, or may be left out");
    for (size_t i = 0; i < ret->drivers.count; i++)
        if (check_driver_name(ret->drivers.items[i], err) < 0)
            return -1;
    if (take_block_driver(ret, err) < 0)
        return -1;
    return take_feature_drivers(ret, err);
}

/* A job's script is kept by Slurm, and may be read by others. */
static int
check_secrets(const struct cli_batch *batch, struct v2v_error *err)
{
    for (size_t i = 0; batch->slurm && i < batch->defaults.count; i++)
        if (cli_is_secret(batch->defaults.items[i]))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--slurm: a key would be in the scripts of its "
                            "jobs: give it as --key ID:file:FILENAME");
    return 0;
}

/* What goes with what. */
static int
check_batch(const struct cli_batch *batch, bool json, struct v2v_error *err)
{
    if (check_secrets(batch, err) < 0)
        return -1;
    if (batch->report_only && ((batch->reports.count == 0 && !json) ||
                               batch->resume || batch->collect || batch->slurm))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--report-only goes with --report FILE or --json, and "
                        "neither with --resume nor --collect nor --slurm");
    if (batch->collect && (batch->resume || batch->line != 0))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--collect runs nothing: --resume and --line do not go "
                        "with it");
    if (batch->sbatch_count > 0 && !batch->slurm)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "what follows \"--\" is for sbatch, with --slurm");
    if (batch->line != 0 && (json || batch->reports.count > 0))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--json and --report do not go with --line: what "
                        "became of it is in its result file");
    return 0;
}

/* getopt_long() has moved what follows "--" behind the manifest, and "--" in
 * front of it. */
static int
take_manifest(int argc, char **argv, struct cli_options *ret,
              struct v2v_error *err)
{
    struct cli_batch *batch = &ret->batch;
    int rest = argc - optind - 1;

    if (rest < 0 || (rest > 0 && strcmp(argv[optind - 1], "--") != 0))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "which manifest?  one file, CSV or JSON Lines");
    batch->manifest = argv[optind];
    batch->sbatch = argv + optind + 1;
    batch->sbatch_count = (size_t)rest;
    return check_batch(batch, ret->json, err);
}

/* libvirt names the disks, and says how each is to be read. */
static int
check_domain(const struct cli_options *options, struct v2v_error *err)
{
    const struct {
        bool given;
        const char *what;
    } others[] = { { options->images.count > 0, "images" },
                   { options->domain_xml != NULL, "--domain-xml" },
                   { options->output != NULL, "--output" },
                   { options->format != NULL, "--format" } };

    if (options->domain == NULL)
        return options->connect == NULL || options->command == CLI_UNDO ||
                       options->command == CLI_RECOVER
                   ? 0
                   : v2v_fail(err, V2V_ERR_USAGE,
                              "--connect goes with --domain");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--domain: XML and disks come from libvirt; %s "
                            "does not go with it",
                            others[i].what);
    return 0;
}

static int
check_complete(int argc, char **argv, struct cli_options *ret,
               struct v2v_error *err)
{
    if (ret->command == CLI_XML)
        return take_xml(argc, argv, ret, err);
    if (ret->command == CLI_BATCH)
        return take_manifest(argc, argv, ret, err);
    if (ret->command != CLI_DRIVERS_LIST &&
        take_images(argc, argv, ret, err) < 0)
        return -1;
    if (check_domain(ret, err) < 0 ||
        (cli_goes_with(cli_find_option("virtio-iso"), ret->command) &&
         take_drivers(argc, argv, ret, err) < 0))
        return -1;
    if (ret->command == CLI_INJECT && ret->domain_xml != NULL &&
        ret->output_xml == NULL)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--domain-xml needs --output-xml, which may be the "
                        "same file");
    return 0;
}

int
cli_refuse_command(const char *word, struct v2v_error *err)
{
    struct near near = { 0 };
    size_t count;
    const struct cli_command_words *table = cli_command_table(&count);

    if (strcmp(word, "drivers") == 0) /* half of one */
        return v2v_fail(err, V2V_ERR_USAGE,
                        "drivers: \"list\" or \"explain\"?");
    for (size_t i = 0; i < count; i++)
        near_offer(&near, word, table[i].words[0]);
    if (near.best != NULL)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: no such command: did you mean \"%s\"?", word,
                        near.best);
    return v2v_fail(err, V2V_ERR_USAGE, "%s: no such command", word);
}

static int
ask_for_command(struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    size_t count;
    const struct cli_command_words *table = cli_command_table(&count);

    for (size_t i = 0; i < count; i++)
        if (v2v_bytes_list(&names, err, "%s",
                           cli_command_name(&table[i]).text) < 0)
            return -1;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "which command?  It comes first, and is one of: %.*s",
                    (int)names.len, (const char *)names.data);
}

int
cli_options_parse(int argc, char **argv, struct cli_options *ret,
                  struct v2v_error *err)
{
    const struct cli_command_words *command =
        cli_find_command(argc - 1, argv + 1);

    *ret =
        (struct cli_options){ .root = { FACTS_ANY, FACTS_ANY },
                              .command = CLI_INJECT,
                              .batch = { .retries = DEFAULT_RETRIES,
                                         .retry_pause = DEFAULT_RETRY_PAUSE },
                              .backend = GUEST_AUTO };
    if (argc < 2)
        return ask_for_command(err);
    if (command == NULL && argv[1][0] != '-')
        return cli_refuse_command(argv[1], err);
    if (command != NULL) {
        ret->command = command->command;
        ret->command_len = cli_command_len(command);
    }
    argc -= ret->command_len;
    argv += ret->command_len;
    if (getopt_loop(argc, argv, ret, err) < 0)
        return -1;
    ret->capabilities = ret->command_len == 0 && ret->machine_readable != NULL;
    if (ret->help || ret->version || ret->long_options || ret->capabilities)
        return 0;
    return ret->command_len == 0 ? ask_for_command(err)
                                 : check_complete(argc, argv, ret, err);
}

void
cli_options_done(struct cli_options *options)
{
    v2v_strings_done(&options->images);
    v2v_strings_done(&options->formats);
    v2v_strings_done(&options->media);
    v2v_strings_done(&options->drivers);
    v2v_strings_done(&options->keys);
    v2v_strings_done(&options->allow);
    v2v_strings_done(&options->batch.defaults);
    v2v_strings_done(&options->batch.reports);
}
