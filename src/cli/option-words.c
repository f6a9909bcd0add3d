/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options as words of a command line: those of the lines of a batch. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/keys.h"
#include "cli/near.h"
#include "cli/option-table.h"

/* "--NAME=ARGUMENT": what an argument starts with has no meaning then. */
static char *
make_word(const struct cli_option *option, const char *argument,
          struct v2v_error *err)
{
    return v2v_format(err, "--%s%s%s", option->name,
                      argument != NULL ? "=" : "",
                      argument != NULL ? argument : "");
}

char *
cli_path_in(const char *folder, const char *path, struct v2v_error *err)
{
    return *path == '/' ? v2v_strdup(path, err)
                        : v2v_format(err, "%s/%s", folder, path);
}

/* The same, and the name of a file is relative to @folder. */
static char *
make_word_in(const struct cli_option *option, const char *folder,
             const char *argument, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = NULL;

    if (option->values == CLI_KEY)
        path = cli_key_in(folder, argument, err);
    else if (option->values == CLI_FILES || option->values == CLI_FOLDERS)
        path = cli_path_in(folder, argument, err);
    else
        return make_word(option, argument, err);
    return path == NULL ? NULL : make_word(option, path, err);
}

/* A line may be run elsewhere, or by another process. */
int
cli_take_default(const struct cli_option *option, const char *argument,
                 struct cli_options *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *folder = getcwd(NULL, 0);
    V2V_AUTO(mem) char *word = NULL;

    if (folder == NULL)
        return v2v_fail_errno(err, errno, "the present folder");
    word = make_word_in(option, folder, argument, err);
    return word == NULL ? -1 : v2v_strings_add(&ret->batch.defaults, word, err);
}

static int
flag_word(const struct cli_option *option, const char *value, char **ret,
          struct v2v_error *err)
{
    bool yes = v2v_equal_nocase(value, "yes");

    if (!yes && !v2v_equal_nocase(value, "no"))
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s: it is yes or no",
                        option->name, value);
    *ret = yes ? make_word(option, NULL, err) : NULL;
    return yes && *ret == NULL ? -1 : 0;
}

/* A line's names are "image" and those of options. */
static int
refuse_name(enum cli_command command, const char *name, struct v2v_error *err)
{
    static const char what[] = "nothing that can be said of a machine here";
    struct near near = { 0 };
    size_t count;
    const struct cli_option *table = cli_option_table(&count);

    near_offer(&near, name, "image");
    for (size_t i = 0; i < count; i++)
        if (cli_is_for_lines(&table[i]) && cli_goes_with(&table[i], command))
            near_offer(&near, name, table[i].name);
    if (near.best != NULL)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s: did you mean \"%s\"?",
                        name, what, near.best);
    return v2v_fail(err, V2V_ERR_USAGE,
                    "%s: %s: it is \"image\" or an option of \"%s\" without "
                    "its \"--\"; the first row of a CSV has such names",
                    name, what, command == CLI_CHECK ? "check" : "inject");
}

/* So that one manifest serves before the weekend and at it. */
static bool
is_passed_over(const struct cli_option *option, enum cli_command command)
{
    return command == CLI_CHECK && !cli_goes_with(option, CLI_CHECK) &&
           cli_goes_with(option, CLI_INJECT) && cli_is_for_lines(option);
}

bool
cli_word_counts(enum cli_command command, const char *word)
{
    char name[32]; /* no option is longer */
    const struct cli_option *option;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    option = cli_find_option(name);
    return option == NULL || !is_passed_over(option, command);
}

int
cli_option_word(enum cli_command command, const char *name, const char *value,
                const char *folder, char **ret, struct v2v_error *err)
{
    const struct cli_option *option = cli_find_option(name);

    if (option != NULL && is_passed_over(option, command)) {
        *ret = NULL;
        return 0;
    }
    if (option == NULL || !cli_is_for_lines(option) ||
        !cli_goes_with(option, command))
        return refuse_name(command, name, err);
    if (option->argument == NULL)
        return flag_word(option, value, ret, err);
    *ret = make_word_in(option, folder, value, err);
    return *ret == NULL ? -1 : 0;
}
