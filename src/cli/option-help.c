/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables say to people, and to their shells. */
#include <stdio.h>
#include <string.h>

#include "cli/near.h"
#include "cli/option-table.h"

/* Help --------------------------------------------------------------------- */

static void
print_usage(const struct cli_command_words *command, const char *lead)
{
    printf("%-6s v2v-virtio %s %s [OPTION...]\n"
           "           %s\n",
           lead, cli_command_name(command).text, command->arguments,
           command->help);
}

static void
print_option(const struct cli_option *option)
{
    char left[64];
    char letter[8] = "    ";
    const char *argument = option->argument != NULL ? option->argument : "";

    if (option->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name,
             *argument == '\0' || cli_argument_is_optional(option) ? "" : " ",
             argument);
    printf("  %-26s %s\n", left, option->help);
}

static bool
goes_with_all(const struct cli_option *option)
{
    size_t count;
    const struct cli_command_words *table = cli_command_table(&count);

    for (size_t i = 0; i < count; i++)
        if (!cli_goes_with(option, table[i].command))
            return false;
    return true;
}

static bool
is_own(const struct cli_option *option, enum cli_command command)
{
    return (option->commands & (int)command) != 0;
}

/* Those that @command has itself, or hands on to the lines of a batch. */
static void
print_options(enum cli_command command, bool own)
{
    size_t count;
    const struct cli_option *table = cli_option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (cli_goes_with(&table[i], command) &&
            is_own(&table[i], command) == own)
            print_option(&table[i]);
}

static void
print_common_options(void)
{
    size_t count;
    const struct cli_option *table = cli_option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (goes_with_all(&table[i]))
            print_option(&table[i]);
}

static void
print_exit_status(void)
{
    printf(
        "\nExit status: 0 done, 1 internal error, 2 usage, 3 guest refused,\n"
        "4 driver not found or not acceptable, 5 malformed input, 75 image\n"
        "in use: try again.\n");
}

static void
print_overview(void)
{
    size_t count;
    const struct cli_command_words *table = cli_command_table(&count);

    for (size_t i = 0; i < count; i++)
        print_usage(&table[i], i == 0 ? "Usage:" : "");
    printf("       v2v-virtio help COMMAND\n"
           "           what it does, and its options\n"
           "\nAll commands have:\n");
    print_common_options();
    print_exit_status();
}

static void
print_command(const struct cli_command_words *command)
{
    print_usage(command, "Usage:");
    putchar('\n');
    print_options(command->command, true);
    if (command->command != CLI_BATCH)
        return;
    printf("\nFor all machines whose line does not say it:\n");
    print_options(CLI_BATCH, false);
}

/* Are @argc words the first of its name? */
static bool
begins_with(const struct cli_command_words *command, int argc,
            char *const *argv)
{
    for (int i = 0; i < argc; i++)
        if (i >= cli_command_len(command) ||
            strcmp(argv[i], command->words[i]) != 0)
            return false;
    return true;
}

int
cli_print_help(int argc, char *const *argv, struct v2v_error *err)
{
    size_t count, printed = 0;
    const struct cli_command_words *table = cli_command_table(&count);

    if (argc == 0) {
        print_overview();
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        if (begins_with(&table[i], argc, argv)) {
            if (printed++ > 0)
                putchar('\n');
            print_command(&table[i]);
        }
    if (printed == 0)
        return cli_refuse_command(argv[0], err);
    print_exit_status();
    return 0;
}

void
cli_print_long_options(void)
{
    size_t count;
    const struct cli_option *table = cli_option_table(&count);

    for (size_t i = 0; i < count; i++)
        printf("--%s\n", table[i].name);
}

void
cli_print_capabilities(void)
{
    size_t count;
    const struct cli_command_words *table = cli_command_table(&count);

    printf("v2v-virtio\nv2v-virtio-" V2V_VERSION "\n"
           "colours-option\nevents-option\njson-option\nschema:1\n"
           "input:disk\ninput:libvirt\ninput:libvirtxml\n"
           "convert:windows\n");
    for (size_t i = 0; i < count; i++)
        printf("command:%s%s%s\n", table[i].words[0],
               table[i].words[1] != NULL ? "-" : "",
               table[i].words[1] != NULL ? table[i].words[1] : "");
}

/* Completion --------------------------------------------------------------- */

/* The words of a command line up to the one that is being written. */
struct line {
    const struct cli_command_words *command; /* NULL: not known yet */
    int argc;
    char *const *argv;
};

static void
offer_words(const char *(*word)(size_t i))
{
    for (size_t i = 0; word(i) != NULL; i++)
        puts(word(i));
}

/* The last that was said; NULL: none. */
static const char *
find_uri(const struct line *line)
{
    const char *uri = NULL;

    for (int i = 0; i + 2 < line->argc; i++)
        if (strcmp(line->argv[i], "-c") == 0 ||
            strcmp(line->argv[i], "--connect") == 0)
            uri = line->argv[i + 1];
    return uri;
}

static void
offer_values(const struct line *line, const struct cli_option *option)
{
    const char *uri = find_uri(line);

    switch (option->values) {
    case CLI_ANY_VALUE:
    case CLI_KEY:
        break;
    case CLI_FILES:
        puts("@files");
        break;
    case CLI_FOLDERS:
        puts("@folders");
        break;
    case CLI_DOMAINS:
        puts("@domains");
        if (uri != NULL)
            puts(uri);
        break;
    case CLI_LIST:
        puts("@list");
        offer_words(option->word);
        break;
    case CLI_WORD:
        offer_words(option->word);
        break;
    }
}

static void
offer_options(const struct line *line)
{
    size_t count;
    const struct cli_option *table = cli_option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (line->command == NULL
                ? strcmp(table[i].name, "help") == 0 ||
                      strcmp(table[i].name, "version") == 0
                : cli_goes_with(&table[i], line->command->command))
            printf("--%s\n", table[i].name);
}

/* The next word of those commands that begin with the words before the last;
 * one that several have, once: they stand together in the table. */
static void
offer_commands(int argc, char *const *argv, bool helps)
{
    size_t count;
    const struct cli_command_words *table = cli_command_table(&count);
    const char *last = "";

    for (size_t i = 0; i < count; i++) {
        if (argc > cli_command_len(&table[i]) ||
            !begins_with(&table[i], argc - 1, argv) ||
            strcmp(table[i].words[argc - 1], last) == 0)
            continue;
        last = table[i].words[argc - 1];
        puts(last);
    }
    if (argc == 1 && !helps)
        puts("help");
}

/* The option whose argument the last word is, as in "--backend d", "-d vm" and
 * "--backend=d"; NULL: it is no argument of one. */
static const struct cli_option *
find_pending(const struct line *line)
{
    const char *word = line->argv[line->argc - 1];
    const char *before = line->argc > 1 ? line->argv[line->argc - 2] : "";
    const struct cli_option *option = NULL;
    char name[32];

    if (strncmp(word, "--", 2) == 0 && strchr(word, '=') != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="),
                 word + 2);
        option = cli_find_option(name);
    } else if (strncmp(before, "--", 2) == 0) {
        option = cli_find_option(before + 2);
    } else if (before[0] == '-' && before[1] != '\0') {
        option = cli_find_letter(before[strlen(before) - 1]);
    }
    return option != NULL && option->argument != NULL &&
                   !cli_argument_is_optional(option)
               ? option
               : NULL;
}

void
cli_print_completions(int argc, char *const *argv)
{
    const struct line line = { .command = cli_find_command(argc - 1, argv),
                               .argc = argc,
                               .argv = argv };
    const struct cli_option *pending;

    if (argc < 1)
        return;
    pending = find_pending(&line);
    if (pending != NULL)
        offer_values(&line, pending);
    else if (strcmp(argv[0], "help") == 0 && argc > 1)
        offer_commands(argc - 1, argv + 1, true);
    else if (argv[argc - 1][0] == '-')
        offer_options(&line);
    else if (line.command == NULL)
        offer_commands(argc, argv, false);
    else
        puts("@files");
}
