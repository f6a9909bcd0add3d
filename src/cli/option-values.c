/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an option's argument may be. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "cli/option-table.h"
#include "image/image.h"

/* Of virtio-win, without a part in a rewrite; they may be in a list that is
 * for "inject" as well.  Source: the directories of virtio-win 0.1.285. */
static const char *const other_drivers[] = {
    "fwcfg",    "qemufwcfg", "qemupciserial", "qxl",   "qxldod",
    "smbus",    "sriov",     "viocrypt",      "viofs", "viogpudo",
    "vioinput", "viomem",    "viosock"
};

enum { OTHER_DRIVERS = sizeof other_drivers / sizeof *other_drivers };

/* The words ---------------------------------------------------------------- */

const char *
cli_format_word(size_t i)
{
    return i == 0 ? CLI_FORMAT_AUTO : image_format_name(i - 1);
}

/* Of the libguestfs tools, but for "ask". */
const char *
cli_root_word(size_t i)
{
    static const char *const words[] = { "single", "first", NULL };

    return words[i];
}

const char *
cli_block_driver_word(size_t i)
{
    static const char *const words[] = { "virtio-blk", "virtio-scsi", NULL };

    return words[i];
}

const char *
cli_driver_word(size_t i)
{
    if (i < DOMAIN_DRIVERS)
        return domain_driver_name(i);
    i -= DOMAIN_DRIVERS;
    return i < OTHER_DRIVERS ? other_drivers[i] : NULL;
}

const char *
cli_feature_word(size_t i)
{
    return i < DOMAIN_FEATURES ? domain_feature_name((enum domain_feature)i)
                               : NULL;
}

const char *
cli_allowed_word(size_t i)
{
    size_t count;
    const struct check_code *codes = check_codes(&count);

    for (size_t at = 0; at < count; at++)
        if (codes[at].can_allow && i-- == 0)
            return codes[at].name;
    return NULL;
}

const char *
cli_backend_word(size_t i)
{
    return guest_choice_name(i);
}

const char *
cli_sandbox_word(size_t i)
{
    static const char *const words[] = { [SANDBOX_AUTO] = "auto",
                                         [SANDBOX_REQUIRE] = "require",
                                         [SANDBOX_OFF] = "off",
                                         NULL };

    return words[i];
}

static int
say_words(const struct cli_option *option, const char *argument,
          const char *lead, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes words = { 0 };

    for (size_t i = 0; option->word(i) != NULL; i++)
        if (v2v_bytes_list(&words, err, "%s", option->word(i)) < 0)
            return -1;
    return v2v_fail(err, V2V_ERR_USAGE, "--%s %s: %s %.*s", option->name,
                    argument, lead, (int)words.len, (const char *)words.data);
}

/* Its number among the option's words, or -1. */
static int
find_word(const struct cli_option *option, const char *argument,
          struct v2v_error *err)
{
    for (int i = 0; option->word((size_t)i) != NULL; i++)
        if (strcmp(option->word((size_t)i), argument) == 0)
            return i;
    return say_words(option, argument, "it is one of", err);
}

/* Numbers ------------------------------------------------------------------ */

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

int
cli_take_number(const struct cli_option *option, const char *argument,
                struct cli_options *ret, struct v2v_error *err)
{
    const char *rest;
    int n = parse_number(argument, '\0', &rest);

    if (n < option->min || n > option->max)
        return v2v_fail(err, V2V_ERR_USAGE, "--%s %s: a number from %d to %d",
                        option->name, argument, option->min, option->max);
    memcpy((char *)ret + option->place, &n, sizeof n);
    return 0;
}

/* Plain values ------------------------------------------------------------- */

int
cli_take_text(const struct cli_option *option, const char *argument,
              struct cli_options *ret, struct v2v_error *err)
{
    (void)err;
    if (argument == NULL)
        argument = "";
    memcpy((char *)ret + option->place, &argument, sizeof argument);
    return 0;
}

int
cli_take_flag(const struct cli_option *option, const char *argument,
              struct cli_options *ret, struct v2v_error *err)
{
    const bool on = true;

    (void)argument;
    (void)err;
    memcpy((char *)ret + option->place, &on, sizeof on);
    return 0;
}

int
cli_take_another(const struct cli_option *option, const char *argument,
                 struct cli_options *ret, struct v2v_error *err)
{
    void *place = (char *)ret + option->place;

    return v2v_strings_add(place, argument, err);
}

/* Images ------------------------------------------------------------ */

int
cli_take_image(const struct cli_option *option, const char *argument,
               struct cli_options *ret, struct v2v_error *err)
{
    const char *format = ret->format != NULL ? ret->format : cli_format_word(0);

    (void)option;
    if (v2v_strings_add(&ret->images, argument, err) < 0)
        return -1;
    return v2v_strings_add(&ret->formats, format, err);
}

/* QEMU's own names have no case; libguestfs takes them as they are. */
int
cli_take_format(const struct cli_option *option, const char *argument,
                struct cli_options *ret, struct v2v_error *err)
{
    int i = find_word(option, argument, err);

    if (i < 0)
        return -1;
    ret->format = cli_format_word((size_t)i);
    ret->images_before_format = ret->images.count;
    return 0;
}

/* Which Windows ------------------------------------------------------------ */

/* Of "/dev/sda2" as libguestfs' tools call it, whatever bus the disk is on:
 * what follows "/dev/sd", or NULL. */
static const char *
skip_bus(const char *device)
{
    static const char *const buses[] = { "/dev/sd", "/dev/vd", "/dev/hd" };

    for (size_t i = 0; i < sizeof buses / sizeof *buses; i++)
        if (strncmp(device, buses[i], strlen(buses[i])) == 0)
            return device + strlen(buses[i]);
    return NULL;
}

/* "a" is the first disk, "z" the 26th, "aa" the 27th.
 * Source: guestfs(3), "BLOCK DEVICE NAMING". */
static int
parse_disk_letters(const char **text)
{
    int disk = 0;

    for (; **text >= 'a' && **text <= 'z'; ++*text) {
        if (disk > GUEST_DISKS_MAX)
            return -1;
        disk = disk * 26 + (**text - 'a' + 1);
    }
    return disk - 1;
}

/* Without a number it is the whole disk, which facts/ counts as partition 0. */
int
cli_parse_device(const char *device, struct facts_root *ret)
{
    const char *text = skip_bus(device);

    if (text == NULL)
        return -1;
    ret->disk = parse_disk_letters(&text);
    ret->partition = *text == '\0' ? 0 : parse_number(text, '\0', &text);
    return ret->disk < 0 || ret->partition < 0 ? -1 : 0;
}

/* "2", or "1:2" for partition 2 of the first disk. */
static int
parse_place(const char *text, struct facts_root *ret, struct v2v_error *err)
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
                        "--root %s: not a partition's number (2, 1:2, "
                        "/dev/sda2), nor single or first",
                        text);
    return 0;
}

int
cli_take_root(const struct cli_option *option, const char *argument,
              struct cli_options *ret, struct v2v_error *err)
{
    struct facts_root root = { FACTS_ANY, FACTS_ANY };
    int word = find_word(option, argument, NULL);

    if (strcmp(argument, "ask") == 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--root ask: this program never asks; single refuses "
                        "several Windows and names them, first takes the "
                        "first");
    if (word >= 0)
        root.partition = word == 1 ? FACTS_FIRST : FACTS_ANY;
    else if (cli_parse_device(argument, &root) < 0) {
        root = (struct facts_root){ FACTS_ANY, FACTS_ANY };
        if (parse_place(argument, &root, err) < 0)
            return -1;
    }
    ret->root = root;
    return 0;
}

/* Words -------------------------------------------------------------------- */

int
cli_take_block_driver(const struct cli_option *option, const char *argument,
                      struct cli_options *ret, struct v2v_error *err)
{
    int i = find_word(option, argument, err);

    if (i < 0)
        return -1;
    ret->virtio_scsi = i == 1;
    ret->has_block_driver = true;
    return 0;
}

int
cli_take_backend(const struct cli_option *option, const char *argument,
                 struct cli_options *ret, struct v2v_error *err)
{
    int i = find_word(option, argument, err);

    if (i < 0)
        return -1;
    ret->backend = (enum guest_choice)i;
    return 0;
}

int
cli_take_sandbox(const struct cli_option *option, const char *argument,
                 struct cli_options *ret, struct v2v_error *err)
{
    int i = find_word(option, argument, err);

    if (i < 0)
        return -1;
    ret->sandbox = (enum sandbox_mode)i;
    return 0;
}

/* Lists -------------------------------------------------------------------- */

int
cli_split_list(const char *text, struct v2v_strings *ret, struct v2v_error *err)
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

int
cli_take_drivers(const struct cli_option *option, const char *argument,
                 struct cli_options *ret, struct v2v_error *err)
{
    (void)option;
    return cli_split_list(argument, &ret->drivers, err);
}

/* Who knows libguestfs' tools may mean an image. */
int
cli_take_features(const struct cli_option *option, const char *argument,
                  struct cli_options *ret, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (cli_split_list(argument, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        enum domain_feature feature;

        if (!domain_find_feature(names.items[i], &feature))
            return say_words(option, names.items[i],
                             "nothing that can be added (an image is given "
                             "with -a, or by its name alone); these can:",
                             err);
        ret->add[feature] = true;
    }
    return 0;
}

int
cli_take_allowed(const struct cli_option *option, const char *argument,
                 struct cli_options *ret, struct v2v_error *err)
{
    size_t before = ret->allow.count;

    if (cli_split_list(argument, &ret->allow, err) < 0)
        return -1;
    for (size_t i = before; i < ret->allow.count; i++) {
        const struct check_code *code = check_find_code(ret->allow.items[i]);

        if (code == NULL || !code->can_allow)
            return say_words(
                option, ret->allow.items[i],
                "not a finding that can be allowed; these can:", err);
    }
    return 0;
}
