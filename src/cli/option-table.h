/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/option-table.h - the options and the commands, as data
 *
 * getopt_long(), the help, the completion and the tests' comparison with the
 * manual are all made of these two tables.
 */
#ifndef V2V_CLI_OPTION_TABLE_H
#define V2V_CLI_OPTION_TABLE_H

#include <stddef.h>

#include "cli/options.h"

/* What a shell offers for the argument of an option. */
enum cli_values {
    CLI_ANY_VALUE, /* nothing: a number, a name that is new */
    CLI_FILES,     /* may be relative to the present folder */
    CLI_FOLDERS,
    CLI_DOMAINS, /* of libvirt */
    CLI_WORD,    /* one of word() */
    CLI_LIST,    /* some of word(), with commas between */
    CLI_KEY      /* cli/keys.h: may hold a file's name */
};

struct cli_option {
    const char *name;
    char letter;  /* '\0': it has none */
    int commands; /* a set of enum cli_command */
    const char
        *argument; /* NULL: it takes none; "[=...]": it may be left out */
    const char *help;
    /* V2V_ERR_USAGE; @argument is NULL if the option takes none, or none was
     * given */
    int (*take)(const struct cli_option *option, const char *argument,
                struct cli_options *ret, struct v2v_error *err);
    size_t place; /* of the field that cli_take_text() and the like fill */
    int min, max; /* of a number */
    enum cli_values values;
    const char *(*word)(size_t i); /* NULL at the end */
    bool alone; /* not for the lines of a batch, which would share it */
};

struct cli_command_words {
    enum cli_command command;
    const char *words[2];  /* the second may be NULL */
    const char *arguments; /* "IMAGE..." */
    const char *help;
};

const struct cli_option *cli_option_table(size_t *count);
const struct cli_command_words *cli_command_table(size_t *count);

/* Does the command take it?  "batch" has those of its lines, too. */
bool cli_goes_with(const struct cli_option *option, enum cli_command command);
/* Is it said of a machine in a manifest, or by "batch" of all of them?  One
 * that "batch" has itself is not. */
bool cli_is_for_lines(const struct cli_option *option);

/* By its name without "--", or NULL. */
const struct cli_option *cli_find_option(const char *name);
const struct cli_option *cli_find_letter(char letter);
/* Of one that takes an argument. */
bool cli_argument_is_optional(const struct cli_option *option);

/* The command at the start of @argc words, or NULL. */
const struct cli_command_words *cli_find_command(int argc, char *const *argv);

/* How many words it has: 1 or 2. */
int cli_command_len(const struct cli_command_words *command);

/* "drivers list" */
/* Its row. */
const struct cli_command_words *cli_command_words(enum cli_command command);

struct cli_command_name {
    char text[32];
};
struct cli_command_name
cli_command_name(const struct cli_command_words *command);

/* There is no command @word; nearly, there may be. */
int cli_refuse_command(const char *word, struct v2v_error *err);

/* Of option-values.c: what the table's rows call ------------------------- */

/* The argument itself ("" for none), or true, in the field at @place. */
int cli_take_text(const struct cli_option *option, const char *argument,
                  struct cli_options *ret, struct v2v_error *err);
int cli_take_flag(const struct cli_option *option, const char *argument,
                  struct cli_options *ret, struct v2v_error *err);
/* One more in the struct v2v_strings at @place. */
int cli_take_another(const struct cli_option *option, const char *argument,
                     struct cli_options *ret, struct v2v_error *err);
/* A number from min to max, in the unsigned at @place. */
int cli_take_number(const struct cli_option *option, const char *argument,
                    struct cli_options *ret, struct v2v_error *err);

int cli_take_image(const struct cli_option *option, const char *argument,
                   struct cli_options *ret, struct v2v_error *err);
int cli_take_format(const struct cli_option *option, const char *argument,
                    struct cli_options *ret, struct v2v_error *err);
int cli_take_root(const struct cli_option *option, const char *argument,
                  struct cli_options *ret, struct v2v_error *err);
int cli_take_block_driver(const struct cli_option *option, const char *argument,
                          struct cli_options *ret, struct v2v_error *err);
int cli_take_drivers(const struct cli_option *option, const char *argument,
                     struct cli_options *ret, struct v2v_error *err);
int cli_take_features(const struct cli_option *option, const char *argument,
                      struct cli_options *ret, struct v2v_error *err);
int cli_take_allowed(const struct cli_option *option, const char *argument,
                     struct cli_options *ret, struct v2v_error *err);
int cli_take_backend(const struct cli_option *option, const char *argument,
                     struct cli_options *ret, struct v2v_error *err);
int cli_take_sandbox(const struct cli_option *option, const char *argument,
                     struct cli_options *ret, struct v2v_error *err);
/* Of keys.c. */
int cli_take_key(const struct cli_option *option, const char *argument,
                 struct cli_options *ret, struct v2v_error *err);

/* Of option-words.c: what "batch" does not know itself, as a default for its
 * lines. */
int cli_take_default(const struct cli_option *option, const char *argument,
                     struct cli_options *ret, struct v2v_error *err);

/* What they accept; NULL at the end. */
const char *cli_format_word(size_t i);
const char *cli_root_word(size_t i);
const char *cli_block_driver_word(size_t i);
const char *cli_driver_word(size_t i);
const char *cli_feature_word(size_t i);
const char *cli_allowed_word(size_t i);
const char *cli_backend_word(size_t i);
const char *cli_sandbox_word(size_t i);

/* "/dev/sda2" as libguestfs' tools name a partition, "/dev/sda" a disk without
 * any: -1 for anything else. */
int cli_parse_device(const char *device, struct facts_root *ret);

/* "a,b" to the end of @ret; empty items are left out. */
int cli_split_list(const char *text, struct v2v_strings *ret,
                   struct v2v_error *err);

#endif
