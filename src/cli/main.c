/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit.h"
#include "cli/definition.h"
#include "cli/drivers.h"
#include "cli/inject.h"
#include "cli/supervise.h"
#include "cli/undo.h"
#include "cli/xml.h"

static int
fail(const struct v2v_error *err)
{
    fprintf(stderr, "v2v-virtio: %s\n", err->text);
    return (int)err->code;
}

/* Of the command line, which has help. */
static int
fail_usage(int words, char *const *argv, const struct v2v_error *err)
{
    int status = fail(err);

    fprintf(stderr, "Try \"v2v-virtio help%s%s%s%s\".\n", words > 0 ? " " : "",
            words > 0 ? argv[1] : "", words > 1 ? " " : "",
            words > 1 ? argv[2] : "");
    return status;
}

/* Whoever has met what check/ knows, too: what to do about it is said. */
static void
add_advice(struct v2v_error *err)
{
    const struct check_code *code =
        err->finding != NULL ? check_find_code(err->finding) : NULL;
    struct v2v_error what = *err;

    if (code == NULL)
        return;
    v2v_error_set(err, what.code, "%s: %s", what.text, code->advice);
    v2v_error_name(err, code->name);
}

/* The subcommands that look into a guest: what they do, and how they report. */
static const struct guest_command {
    enum cli_command command;
    int (*run)(struct report *report, struct v2v_error *err);
    int (*print)(const struct report *report, struct v2v_error *err);
    int (*print_json)(const struct report *report,
                      const struct console *console,
                      const struct v2v_error *failure, struct v2v_error *err);
} guest_commands[] = {
    { CLI_INJECT, inject, report_print, report_print_json },
    { CLI_CHECK, check, check_print, check_print_json },
    { CLI_VERIFY, verify, verify_print, verify_print_json },
    { CLI_DRIVERS_EXPLAIN, drivers_explain, drivers_explain_print,
      drivers_explain_print_json },
};

static const struct guest_command *
find_guest_command(const struct cli_options *options)
{
    for (size_t i = 0; i < sizeof guest_commands / sizeof *guest_commands; i++)
        if (guest_commands[i].command == options->command)
            return &guest_commands[i];
    return NULL;
}

/* A failure has a JSON document, too; a person has the message, and of a check
 * what was found before it. */
static int
print_report(const struct guest_command *command, const struct report *report,
             const struct console *console, const struct v2v_error *failure,
             struct v2v_error *err)
{
    const struct cli_options *options = report->options;

    if (options->json)
        return command->print_json(report, console, failure, err);
    if (options->quiet)
        return 0;
    if (failure == NULL)
        return command->print(report, err);
    if (options->command == CLI_CHECK)
        report_print_findings(&report->check);
    return 0;
}

static int
run_on_guest(const struct cli_options *options)
{
    const struct guest_command *command = find_guest_command(options);
    struct console console = { .steps = !options->quiet && !options->json,
                               .facts = options->verbose,
                               .trace = options->trace };
    struct report report = { .options = options };
    struct v2v_error err = { 0 };
    struct v2v_error report_err = { 0 };
    int result, status;

    console_init(&console);
    result = command->run(&report, &err);
    if (result < 0)
        add_advice(&err);
    console_end_progress(&console);
    status = result < 0 ? fail(&err) : (int)report.outcome;
    if (print_report(command, &report, &console, result < 0 ? &err : NULL,
                     &report_err) < 0 &&
        result == 0)
        status = fail(&report_err);
    report_done(&report);
    console_done(&console);
    return status;
}

/* The subcommands that print their own result. */
static int
run_simple(const struct cli_options *options)
{
    struct console console = { .steps = !options->quiet && !options->json,
                               .facts = options->verbose };
    struct v2v_error err = { 0 };
    int status = V2V_OK, result;

    console_init(&console);
    if (options->command == CLI_DRIVERS_LIST)
        result = drivers_list(options, &err);
    else if (options->command == CLI_XML)
        result = xml(options, &console, &err);
    else if (options->command == CLI_RECOVER)
        result = recover(options, &err);
    else
        result = options->list ? undo_list(options, &err) : undo(options, &err);
    console_end_progress(&console);
    if (result < 0) {
        add_advice(&err);
        status = fail(&err);
    }
    console_done(&console);
    return status;
}

/* A report that was cut off must not pass for a whole one, nor for a failure of
 * what it reports on. */
static int
check_stdout(int status, const char *lost)
{
    struct v2v_error err;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    v2v_error_set_errno(&err, errno, "standard output%s", lost);
    return status == V2V_OK ? fail(&err) : (fail(&err), status);
}

static int
run(const struct cli_options *options)
{
    int status = find_guest_command(options) != NULL ? run_on_guest(options)
                                                     : run_simple(options);

    return check_stdout(status, status == V2V_OK && cli_writes(options)
                                    ? " (all is done, only the report is lost)"
                                    : "");
}

/* Those that only read leave nothing to be cleaned up. */
static bool
only_reads(const struct cli_options *options)
{
    return options->command == CLI_DRIVERS_LIST ||
           options->command == CLI_XML || options->list;
}

/* A file that is opened must not become descriptor 0, 1 or 2: what is printed
 * would go into an image.  Where one was closed, reading and writing fail as
 * they would have (gnulib's "stdopen" does the same). */
static void
open_standard_files(void)
{
    static const int flags[] = { [STDIN_FILENO] = O_WRONLY,
                                 [STDOUT_FILENO] = O_RDONLY,
                                 [STDERR_FILENO] = O_RDONLY };

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags[fd]) != fd)
            _exit(V2V_ERR_INTERNAL);
}

static int
help(int argc, char *const *argv)
{
    struct v2v_error err;

    if (cli_print_help(argc, argv, &err) < 0)
        return fail_usage(0, NULL, &err);
    return check_stdout(V2V_OK, "");
}

static int
carry_out(const struct cli_options *options, char *const *argv)
{
    if (options->help)
        return help(options->command_len, argv + 1);
    if (!options->version && !options->long_options) {
        sandbox_set_mode(options->sandbox);
        return only_reads(options) ? run(options) : supervise(run, options);
    }
    if (options->version)
        printf("v2v-virtio " V2V_VERSION "\n");
    else
        cli_print_long_options();
    return check_stdout(V2V_OK, "");
}

static int
run_command_line(int argc, char **argv)
{
    struct cli_options options = { 0 };
    struct v2v_error err = { 0 };
    int status;

    definition_set_ops(&options);
    status = cli_options_parse(argc, argv, &options, &err) < 0
                 ? fail_usage(options.command_len, argv, &err)
                 : carry_out(&options, argv);
    cli_options_done(&options);
    return status;
}

int
main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "";

    open_standard_files();
    signal(SIGCHLD, SIG_DFL); /* ignored, no status of a child would be told */
    if (strcmp(first, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(first, "--complete") != 0)
        return run_command_line(argc, argv);
    cli_print_completions(argc - 2, argv + 2);
    return check_stdout(V2V_OK, "");
}
