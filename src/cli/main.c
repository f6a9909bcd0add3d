/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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
    if (err->code == V2V_ERR_USAGE)
        fprintf(stderr, "Try \"v2v-virtio --help\".\n");
    return (int)err->code;
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
    if (result < 0)
        status = fail(&err);
    console_done(&console);
    return status;
}

/* A report that was cut off must not pass for a whole one. */
static int
check_stdout(int status)
{
    struct v2v_error err;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    v2v_error_set_errno(&err, errno, "standard output");
    return fail(&err);
}

static int
run(const struct cli_options *options)
{
    return check_stdout(find_guest_command(options) != NULL
                            ? run_on_guest(options)
                            : run_simple(options));
}

/* Those that only read leave nothing to be cleaned up. */
static bool
only_reads(const struct cli_options *options)
{
    return options->command == CLI_DRIVERS_LIST ||
           options->command == CLI_XML || options->list;
}

/* A file that is opened must not become descriptor 0, 1 or 2: what is printed
 * would go into an image. */
static void
open_standard_files(void)
{
    while (fcntl(STDERR_FILENO, F_GETFD) < 0 ||
           fcntl(STDOUT_FILENO, F_GETFD) < 0 ||
           fcntl(STDIN_FILENO, F_GETFD) < 0)
        if (open("/dev/null", O_RDWR) < 0)
            _exit(V2V_ERR_INTERNAL);
}

int
main(int argc, char **argv)
{
    struct cli_options options;
    struct v2v_error err = { 0 };
    int status = V2V_OK;

    open_standard_files();
    signal(SIGCHLD, SIG_DFL); /* ignored, no status of a child would be told */
    definition_set_ops(&options);
    if (cli_options_parse(argc, argv, &options, &err) < 0)
        status = fail(&err);
    else if (options.help)
        cli_print_help();
    else if (options.version)
        printf("v2v-virtio " V2V_VERSION "\n");
    else if (options.long_options)
        cli_print_long_options();
    else {
        sandbox_set_mode(options.sandbox);
        status =
            only_reads(&options) ? run(&options) : supervise(run, &options);
    }
    cli_options_done(&options);
    return check_stdout(status);
}
