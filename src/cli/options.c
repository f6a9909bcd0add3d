/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "facts/find.h"

/* What getopt_long() returns for options that have no letter. */
enum {
    OPT_VIRTIO_ISO = UCHAR_MAX + 1,
    OPT_DOMAIN_XML,
    OPT_OUTPUT_XML,
    OPT_FORMAT,
    OPT_ROOT,
    OPT_DRIVERS,
    OPT_ALLOW,
    OPT_WORK_DIR,
    OPT_JSON,
    OPT_LONG_OPTIONS
};

static const struct {
    const char *name;
    int value; /* a letter, or OPT_... */
    const char *argument;
    const char *help;
} table[] = {
    { "virtio-iso", OPT_VIRTIO_ISO, "FILE",
      "virtio-win.iso, or a folder of its layout [$VIRTIO_WIN]" },
    { "domain-xml", OPT_DOMAIN_XML, "FILE", "libvirt XML of the machine" },
    { "output-xml", OPT_OUTPUT_XML, "FILE", "where the virtio XML goes" },
    { "drivers", OPT_DRIVERS, "LIST",
      "names on the ISO [viostor,NetKVM,Balloon]" },
    { "root", OPT_ROOT, "N", "which Windows: its partition's number" },
    { "format", OPT_FORMAT, "FORMAT", "qcow2, raw, ...: instead of probing" },
    { "work-dir", OPT_WORK_DIR, "DIR",
      "where the overlay goes [beside the image]" },
    { "allow", OPT_ALLOW, "NAME",
      "let a hazard pass: hive-dirty; may be repeated" },
    { "dry-run", 'n', NULL, "print the plan; write nothing" },
    { "json", OPT_JSON, NULL, "one JSON document on standard output" },
    { "quiet", 'q', NULL, "no steps, no report; warnings and errors only" },
    { "verbose", 'v', NULL, "facts and choices as well" },
    { "trace", 'x', NULL, "what libguestfs does as well" },
    { "help", 'h', NULL, "this text" },
    { "version", 'V', NULL, "the program's version" },
    { "long-options", OPT_LONG_OPTIONS, NULL,
      "the options' names, for completion" },
};

enum { TABLE_LEN = sizeof table / sizeof *table };

static const char default_drivers[] = "viostor,NetKVM,Balloon";

void
cli_print_help(void)
{
    printf("Usage: v2v-virtio inject IMAGE --virtio-iso FILE [OPTION...]\n"
           "Make a Windows disk image boot on virtio devices, offline.\n\n");
    for (size_t i = 0; i < TABLE_LEN; i++) {
        char left[64];
        char letter[8] = "    ";

        if (table[i].value <= UCHAR_MAX)
            snprintf(letter, sizeof letter, "-%c, ", table[i].value);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, table[i].name,
                 table[i].argument != NULL ? " " : "",
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
allow(const char *list, struct facts_allow *ret, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (split_list(list, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.items[i], "hive-dirty") != 0)
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--allow %s: not a hazard that can be allowed; "
                            "\"hive-dirty\" is",
                            names.items[i]);
        ret->hive_dirty = true;
    }
    return 0;
}

static int
parse_root(const char *text, int *ret, struct v2v_error *err)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || n < 0 || n > INT_MAX)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--root %s: not a partition's number", text);
    *ret = (int)n;
    return 0;
}

static int
take(int value, const char *argument, struct cli_options *ret,
     struct v2v_error *err)
{
    switch (value) {
    case OPT_VIRTIO_ISO:
        ret->virtio_iso = argument;
        return 0;
    case OPT_DOMAIN_XML:
        ret->domain_xml = argument;
        return 0;
    case OPT_OUTPUT_XML:
        ret->output_xml = argument;
        return 0;
    case OPT_FORMAT:
        ret->format = argument;
        return 0;
    case OPT_WORK_DIR:
        ret->work_dir = argument;
        return 0;
    case OPT_ROOT:
        return parse_root(argument, &ret->root, err);
    case OPT_DRIVERS:
        return split_list(argument, &ret->drivers, err);
    case OPT_ALLOW:
        return allow(argument, &ret->allow, err);
    default:
        break;
    }
    ret->json |= value == OPT_JSON;
    ret->long_options |= value == OPT_LONG_OPTIONS;
    ret->dry_run |= value == 'n';
    ret->quiet |= value == 'q';
    ret->verbose |= value == 'v';
    ret->trace |= value == 'x';
    ret->help |= value == 'h';
    ret->version |= value == 'V';
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
                                      .has_arg = table[i].argument != NULL,
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
        if (take(value, optarg, ret, err) < 0)
            return -1;
    }
    return 0;
}

static int
check_complete(int argc, char **argv, struct cli_options *ret,
               struct v2v_error *err)
{
    if (argc - optind != 1)
        return v2v_fail(err, V2V_ERR_USAGE,
                        argc == optind ? "inject: which image?"
                                       : "inject: one image at a time");
    ret->image = argv[optind];
    if (ret->virtio_iso == NULL)
        ret->virtio_iso = getenv("VIRTIO_WIN");
    if (ret->virtio_iso == NULL || *ret->virtio_iso == '\0')
        return v2v_fail(err, V2V_ERR_USAGE,
                        "no drivers: say where virtio-win.iso is with "
                        "--virtio-iso or VIRTIO_WIN");
    if ((ret->domain_xml == NULL) != (ret->output_xml == NULL))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--domain-xml and --output-xml go together");
    if (ret->drivers.count == 0)
        return split_list(default_drivers, &ret->drivers, err);
    return 0;
}

int
cli_options_parse(int argc, char **argv, struct cli_options *ret,
                  struct v2v_error *err)
{
    *ret = (struct cli_options){ .root = FACTS_ANY_PARTITION };
    if (getopt_loop(argc, argv, ret, err) < 0)
        return -1;
    if (ret->help || ret->version || ret->long_options)
        return 0;
    return check_complete(argc, argv, ret, err);
}

void
cli_options_done(struct cli_options *options)
{
    v2v_strings_done(&options->drivers);
}
