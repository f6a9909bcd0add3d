/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"

/* What getopt_long() returns for options that have no letter. */
enum {
    OPT_VIRTIO_ISO = UCHAR_MAX + 1,
    OPT_DOMAIN_XML,
    OPT_OUTPUT_XML,
    OPT_DOMAIN,
    OPT_CONNECT,
    OPT_ADD,
    OPT_NIC_QUEUES,
    OPT_DIFF,
    OPT_FORMAT,
    OPT_ROOT,
    OPT_DRIVERS,
    OPT_BLOCK_DRIVER,
    OPT_ALLOW,
    OPT_BACKEND,
    OPT_SANDBOX,
    OPT_WORK_DIR,
    OPT_OUTPUT,
    OPT_NO_UNDO,
    OPT_LIST,
    OPT_JSON,
    OPT_EVENTS,
    OPT_MACHINE_READABLE,
    OPT_COLORS,
    OPT_LONG_OPTIONS
};

enum {
    /* those that cannot do without drivers, and with whom they say more */
    MEDIUM = CLI_INJECT | CLI_DRIVERS_LIST | CLI_DRIVERS_EXPLAIN,
    DRIVERS = MEDIUM | CLI_CHECK,
    /* those that start an appliance */
    GUEST = CLI_INJECT | CLI_DRIVERS_EXPLAIN | CLI_CHECK | CLI_VERIFY,
    CHOICE = CLI_INJECT | CLI_DRIVERS_EXPLAIN | CLI_CHECK,
    MACHINE = CLI_INJECT | CLI_CHECK | CLI_VERIFY, /* take several disks */
    IMAGE = GUEST | CLI_UNDO | CLI_RECOVER, /* those that open an image */
    REWRITE = CLI_INJECT | CLI_XML,         /* make a domain XML of another */
    ALL = DRIVERS | IMAGE | CLI_XML
};

static const struct {
    const char *name;
    int value; /* a letter, or OPT_... */
    int commands;
    const char *argument;
    const char *help;
} table[] = {
    { "virtio-iso", OPT_VIRTIO_ISO, DRIVERS, "FILE",
      "virtio-win.iso, .vfd or folder; may be repeated [$VIRTIO_WIN]" },
    { "domain-xml", OPT_DOMAIN_XML, GUEST, "FILE",
      "libvirt XML of the machine" },
    { "output-xml", OPT_OUTPUT_XML, CLI_INJECT, "FILE",
      "where the virtio XML goes" },
    { "domain", OPT_DOMAIN, CLI_INJECT, "NAME",
      "XML and disks of this machine come from libvirt" },
    { "connect", OPT_CONNECT, CLI_INJECT | CLI_UNDO | CLI_RECOVER, "URI",
      "which libvirt, as qemu:///system [libvirt's default]" },
    { "add", OPT_ADD, REWRITE, "LIST",
      "rng, balloon-stats, agent-channel, pvpanic, hyperv, hypervclock, "
      "discard, iothread" },
    { "nic-queues", OPT_NIC_QUEUES, REWRITE, "N",
      "queues of each virtio interface" },
    { "diff", OPT_DIFF, CLI_XML, NULL, "what changes, on standard output" },
    { "drivers", OPT_DRIVERS, CHOICE | CLI_XML, "LIST",
      "names on the medium [viostor,NetKVM,Balloon]" },
    { "block-driver", OPT_BLOCK_DRIVER, GUEST | CLI_XML, "DRIVER",
      "virtio-blk (viostor) or virtio-scsi (vioscsi) [virtio-blk]" },
    { "root", OPT_ROOT, GUEST, "[DISK:]N",
      "which Windows: its partition's number" },
    { "output", OPT_OUTPUT, CLI_INJECT, "FILE",
      "make a new qcow2; the image is only read" },
    { "no-undo", OPT_NO_UNDO, CLI_INJECT, NULL,
      "keep nothing for \"v2v-virtio undo\"" },
    { "list", OPT_LIST, CLI_UNDO, NULL,
      "what can be undone, of images or in folders" },
    { "format", OPT_FORMAT, GUEST | CLI_UNDO, "FORMAT",
      "qcow2, raw, ...: instead of probing" },
    { "work-dir", OPT_WORK_DIR, IMAGE, "DIR",
      "where the overlay goes [beside the image]" },
    { "allow", OPT_ALLOW, CHOICE, "CODES",
      "let findings pass that block, as hive-dirty" },
    { "backend", OPT_BACKEND, GUEST, "WHICH",
      "auto, direct or libguestfs: who opens the guest [auto]" },
    { "sandbox", OPT_SANDBOX, IMAGE, "MODE",
      "auto, require or off: for what reads the guest [auto]" },
    { "dry-run", 'n', CLI_INJECT, NULL, "print the plan; write nothing" },
    { "json", OPT_JSON, ALL, NULL, "one JSON document on standard output" },
    { "events", OPT_EVENTS, ALL, "FILE|fd:N",
      "JSON lines as it happens: phases, progress, findings, ..." },
    { "machine-readable", OPT_MACHINE_READABLE, ALL, "[=WHERE]",
      "what libguestfs' tools print for programs; WHERE is file:FILE, "
      "stream:stdout, stream:stderr or fd:N; alone: what this program can" },
    { "colors", OPT_COLORS, ALL, NULL, "colours also without a terminal" },
    { "colours", OPT_COLORS, ALL, NULL, "the same" },
    { "quiet", 'q', MACHINE | CLI_UNDO | CLI_RECOVER | CLI_XML, NULL,
      "no steps, no report; warnings and errors only" },
    { "verbose", 'v', ALL, NULL, "facts and choices as well" },
    { "trace", 'x', GUEST, NULL, "what libguestfs does as well" },
    { "help", 'h', ALL, NULL, "this text" },
    { "version", 'V', ALL, NULL, "the program's version" },
    { "long-options", OPT_LONG_OPTIONS, ALL, NULL,
      "the options' names, for completion" },
};

enum { TABLE_LEN = sizeof table / sizeof *table };

static const struct {
    enum cli_command command;
    const char *words[2];
    const char *arguments;
    const char *help;
} commands[] = {
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

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static const char drivers_blk[] = "viostor,NetKVM,Balloon";
static const char drivers_scsi[] = "vioscsi,NetKVM,Balloon";

/* Of virtio-win, without a part in a rewrite; they may be in a list that is
 * for "inject" as well.  Source: the directories of virtio-win 0.1.285. */
static const char *const other_drivers[] = {
    "fwcfg",    "qemufwcfg", "qemupciserial", "qxl",   "qxldod",
    "smbus",    "sriov",     "viocrypt",      "viofs", "viogpudo",
    "vioinput", "viomem",    "viosock"
};

/* "[=WHERE]" may be left out. */
static int
argument_kind(size_t i)
{
    const char *argument = table[i].argument;

    if (argument == NULL)
        return no_argument;
    return *argument == '[' && argument[1] == '=' ? optional_argument
                                                  : required_argument;
}

void
cli_print_help(void)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("%s v2v-virtio %s%s%s %s [OPTION...]\n"
               "           %s\n",
               i == 0 ? "Usage:" : "      ", commands[i].words[0],
               commands[i].words[1] != NULL ? " " : "",
               commands[i].words[1] != NULL ? commands[i].words[1] : "",
               commands[i].arguments, commands[i].help);
    putchar('\n');
    for (size_t i = 0; i < TABLE_LEN; i++) {
        char left[64];
        char letter[8] = "    ";

        if (table[i].value <= UCHAR_MAX)
            snprintf(letter, sizeof letter, "-%c, ", table[i].value);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, table[i].name,
                 argument_kind(i) == required_argument ? " " : "",
                 table[i].argument != NULL ? table[i].argument : "");
        printf("  %-26s %s\n", left, table[i].help);
    }
    printf(
        "\nExit status: 0 done, 1 internal error, 2 usage, 3 guest refused,\n"
        "4 driver not found or not acceptable, 5 malformed input, 75 image\n"
        "in use: try again.\n");
}

void
cli_print_long_options(void)
{
    for (size_t i = 0; i < TABLE_LEN; i++)
        printf("--%s\n", table[i].name);
}

void
cli_print_capabilities(void)
{
    printf("v2v-virtio\nv2v-virtio-" V2V_VERSION "\n"
           "colours-option\nevents-option\njson-option\nschema:1\n"
           "input:disk\ninput:libvirt\ninput:libvirtxml\n"
           "convert:windows\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("command:%s%s%s\n", commands[i].words[0],
               commands[i].words[1] != NULL ? "-" : "",
               commands[i].words[1] != NULL ? commands[i].words[1] : "");
}

static int
split_list(const char *text, struct v2v_strings *ret, struct v2v_error *err)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        V2V_AUTO(mem) char *item = v2v_strndup(text, len, err);

        if (item == NULL || (len > 0 && v2v_strings_add(ret, item, err) < 0))
            return -1;
        text += len + (text[len] == ',');
    }
    return 0;
}

static int
say_what_can_be_allowed(const char *name, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    size_t count;
    const struct check_code *codes = check_codes(&count);

    for (size_t i = 0; i < count; i++)
        if (codes[i].can_allow &&
            v2v_bytes_printf(&names, err, "%s%s", names.len > 0 ? ", " : "",
                             codes[i].name) < 0)
            return -1;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "--allow %s: not a finding that can be allowed; these can: "
                    "%.*s",
                    name, (int)names.len, (const char *)names.data);
}

static int
allow(const char *list, struct cli_options *ret, struct v2v_error *err)
{
    size_t before = ret->allow.count;

    if (split_list(list, &ret->allow, err) < 0)
        return -1;
    for (size_t i = before; i < ret->allow.count; i++) {
        const struct check_code *code = check_find_code(ret->allow.items[i]);

        if (code == NULL || !code->can_allow)
            return say_what_can_be_allowed(ret->allow.items[i], err);
    }
    return 0;
}

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

/* A number from 0 up to @end; -1: none. */
static int
parse_number(const char *text, char end_char, const char **end)
{
    char *stop;
    long n = strtol(text, &stop, 10);

    *end = stop + 1;
    return *text < '0' || *text > '9' || *stop != end_char || n > INT_MAX
               ? -1
               : (int)n;
}

/* "2", or "1:2" for partition 2 of the first disk. */
static int
parse_root(const char *text, struct facts_root *ret, struct v2v_error *err)
{
    const char *rest = text;

    if (strchr(text, ':') != NULL) {
        ret->disk = parse_number(text, ':', &rest) - 1;
        if (ret->disk < 0)
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--root %s: the first disk is 1", text);
    }
    ret->partition = parse_number(rest, '\0', &rest);
    if (ret->partition < 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--root %s: not a partition's number", text);
    return 0;
}

static int
parse_block_driver(const char *text, bool *ret, struct v2v_error *err)
{
    *ret = strcmp(text, "virtio-scsi") == 0;
    if (!*ret && strcmp(text, "virtio-blk") != 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--block-driver %s: it is virtio-blk or virtio-scsi",
                        text);
    return 0;
}

static int
add_features(const char *list, struct cli_options *ret, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (split_list(list, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        enum domain_feature feature;

        if (!domain_find_feature(names.items[i], &feature))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--add %s: nothing that can be added; see --help",
                            names.items[i]);
        ret->add[feature] = true;
    }
    return 0;
}

static int
parse_queues(const char *text, unsigned *ret, struct v2v_error *err)
{
    const char *rest;
    int n = parse_number(text, '\0', &rest);

    if (n < 1 || n > 256)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--nic-queues %s: a number from 1 to 256", text);
    *ret = (unsigned)n;
    return 0;
}

static int
parse_sandbox(const char *text, enum sandbox_mode *ret, struct v2v_error *err)
{
    static const char *const modes[] = { [SANDBOX_AUTO] = "auto",
                                         [SANDBOX_REQUIRE] = "require",
                                         [SANDBOX_OFF] = "off" };

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i], text) == 0) {
            *ret = (enum sandbox_mode)i;
            return 0;
        }
    return v2v_fail(err, V2V_ERR_USAGE,
                    "--sandbox %s: it is auto, require or off", text);
}

static int
parse_backend(const char *text, enum guest_choice *ret, struct v2v_error *err)
{
    if (guest_choice_by_name(text, ret, NULL) < 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--backend %s: it is auto, direct or libguestfs", text);
    return 0;
}

static int
take(int value, const char *argument, struct cli_options *ret,
     struct v2v_error *err)
{
    switch (value) {
    case OPT_VIRTIO_ISO:
        return v2v_strings_add(&ret->media, argument, err);
    case OPT_DOMAIN_XML:
        ret->domain_xml = argument;
        return 0;
    case OPT_OUTPUT_XML:
        ret->output_xml = argument;
        return 0;
    case OPT_DOMAIN:
        ret->domain = argument;
        return 0;
    case OPT_CONNECT:
        ret->connect = argument;
        return 0;
    case OPT_ADD:
        return add_features(argument, ret, err);
    case OPT_NIC_QUEUES:
        return parse_queues(argument, &ret->nic_queues, err);
    case OPT_FORMAT:
        ret->format = argument;
        return 0;
    case OPT_OUTPUT:
        ret->output = argument;
        return 0;
    case OPT_WORK_DIR:
        ret->work_dir = argument;
        return 0;
    case OPT_ROOT:
        return parse_root(argument, &ret->root, err);
    case OPT_BLOCK_DRIVER:
        ret->has_block_driver = true;
        return parse_block_driver(argument, &ret->virtio_scsi, err);
    case OPT_DRIVERS:
        return split_list(argument, &ret->drivers, err);
    case OPT_BACKEND:
        return parse_backend(argument, &ret->backend, err);
    case OPT_SANDBOX:
        return parse_sandbox(argument, &ret->sandbox, err);
    case OPT_ALLOW:
        return allow(argument, ret, err);
    case OPT_EVENTS:
        ret->events = argument;
        return 0;
    case OPT_MACHINE_READABLE:
        ret->machine_readable = argument != NULL ? argument : "";
        return 0;
    default:
        break;
    }
    ret->json |= value == OPT_JSON;
    ret->colors |= value == OPT_COLORS;
    ret->diff |= value == OPT_DIFF;
    ret->long_options |= value == OPT_LONG_OPTIONS;
    ret->no_undo |= value == OPT_NO_UNDO;
    ret->list |= value == OPT_LIST;
    ret->dry_run |= value == 'n';
    ret->quiet |= value == 'q';
    ret->verbose |= value == 'v';
    ret->trace |= value == 'x';
    ret->help |= value == 'h';
    ret->version |= value == 'V';
    return 0;
}

static int
check_belongs(int value, const struct cli_options *options,
              struct v2v_error *err)
{
    for (size_t i = 0; i < TABLE_LEN; i++)
        if (table[i].value == value &&
            (table[i].commands & (int)options->command) == 0)
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--%s does not go with this command",
                            table[i].name);
    return 0;
}

static int
getopt_loop(int argc, char **argv, struct cli_options *ret,
            struct v2v_error *err)
{
    struct option options[TABLE_LEN + 1] = { 0 };
    char letters[TABLE_LEN + 2] = ":"; /* ":": tell a missing argument apart */
    size_t letter_count = 1;

    for (size_t i = 0; i < TABLE_LEN; i++) {
        options[i] = (struct option){ .name = table[i].name,
                                      .has_arg = argument_kind(i),
                                      .val = table[i].value };
        if (table[i].value <= UCHAR_MAX)
            letters[letter_count++] = (char)table[i].value;
    }
    opterr = 0;
    optind = 1;
    for (int value;
         (value = getopt_long(argc, argv, letters, options, NULL)) != -1;) {
        if (value == '?')
            return v2v_fail(err, V2V_ERR_USAGE,
                            "%s: no such option, or it takes no argument",
                            argv[optind - 1]);
        if (value == ':')
            return v2v_fail(err, V2V_ERR_USAGE, "%s: needs an argument",
                            argv[optind - 1]);
        if (check_belongs(value, ret, err) < 0 ||
            take(value, optarg, ret, err) < 0)
            return -1;
    }
    return 0;
}

/* How many words of the command line are the command's; 0: none fits. */
static int
find_command(int argc, char **argv, enum cli_command *ret)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *const *words = commands[i].words;

        if (argc < 2 || strcmp(argv[1], words[0]) != 0)
            continue;
        if (words[1] != NULL && (argc < 3 || strcmp(argv[2], words[1]) != 0))
            continue;
        *ret = commands[i].command;
        return words[1] != NULL ? 2 : 1;
    }
    return 0;
}

static int
take_media(int argc, char **argv, struct cli_options *ret,
           struct v2v_error *err)
{
    const char *fallback = getenv("VIRTIO_WIN");

    for (; optind < argc; optind++)
        if (v2v_strings_add(&ret->media, argv[optind], err) < 0)
            return -1;
    if (ret->media.count == 0 && fallback != NULL && *fallback != '\0' &&
        v2v_strings_add(&ret->media, fallback, err) < 0)
        return -1;
    if (ret->media.count == 0 && (ret->command & MEDIUM) != 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "no drivers: say where virtio-win.iso is with "
                        "--virtio-iso or VIRTIO_WIN");
    return 0;
}

/* "undo --list" takes whatever there is. */
static int
take_images(int argc, char **argv, struct cli_options *ret,
            struct v2v_error *err)
{
    bool many = (ret->command & MACHINE) != 0 || ret->list;

    if (ret->list && optind == argc)
        return v2v_strings_add(&ret->images, ".", err);
    if (ret->domain != NULL && optind == argc)
        return 0;
    if (optind == argc)
        return v2v_fail(err, V2V_ERR_USAGE, "which image?");
    do {
        if (v2v_strings_add(&ret->images, argv[optind++], err) < 0)
            return -1;
    } while (many && optind < argc);
    if (optind < argc && ret->command != CLI_DRIVERS_EXPLAIN)
        return v2v_fail(err, V2V_ERR_USAGE, "one image at a time");
    return 0;
}

/* Who names one boot driver means its disk. */
static int
take_block_driver(struct cli_options *ret, struct v2v_error *err)
{
    bool has_blk = v2v_strings_has_nocase(&ret->drivers, "viostor");
    bool has_scsi = v2v_strings_has_nocase(&ret->drivers, "vioscsi");

    if (ret->drivers.count == 0)
        return split_list(ret->virtio_scsi ? drivers_scsi : drivers_blk,
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

    for (size_t i = 0; i < sizeof other_drivers / sizeof *other_drivers; i++)
        if (v2v_equal_nocase(name, other_drivers[i]))
            return 0;
    for (size_t i = 0; i < DOMAIN_DRIVERS; i++) {
        if (v2v_equal_nocase(name, domain_driver_name(i)))
            return 0;
        if (v2v_bytes_printf(&names, err, "%s%s", i > 0 ? ", " : "",
                             domain_driver_name(i)) < 0)
            return -1;
    }
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
        return options->connect == NULL || options->command != CLI_INJECT
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
    if (ret->command != CLI_DRIVERS_LIST &&
        take_images(argc, argv, ret, err) < 0)
        return -1;
    if (check_domain(ret, err) < 0 || ((ret->command & DRIVERS) != 0 &&
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
cli_options_parse(int argc, char **argv, struct cli_options *ret,
                  struct v2v_error *err)
{
    int words;

    *ret = (struct cli_options){ .root = { FACTS_ANY, FACTS_ANY },
                                 .command = CLI_INJECT,
                                 .backend = GUEST_AUTO };
    if (argc < 2)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "which command?  \"check\", \"inject\", \"verify\", "
                        "\"xml\", \"undo\", \"recover\", "
                        "\"drivers list\" or "
                        "\"drivers explain\"");
    words = find_command(argc, argv, &ret->command);
    if (words == 0 && strcmp(argv[1], "drivers") == 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "drivers: \"list\" or \"explain\"?");
    if (words == 0 && argv[1][0] != '-')
        return v2v_fail(err, V2V_ERR_USAGE, "%s: no such command", argv[1]);
    argc -= words;
    argv += words;
    if (getopt_loop(argc, argv, ret, err) < 0)
        return -1;
    ret->capabilities = words == 0 && ret->machine_readable != NULL;
    if (ret->help || ret->version || ret->long_options || ret->capabilities)
        return 0;
    if (words == 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "the command comes first, as in \"inject\"");
    return check_complete(argc, argv, ret, err);
}

void
cli_options_done(struct cli_options *options)
{
    v2v_strings_done(&options->images);
    v2v_strings_done(&options->media);
    v2v_strings_done(&options->drivers);
    v2v_strings_done(&options->allow);
}
