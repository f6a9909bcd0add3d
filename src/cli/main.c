/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit.h"
#include "cli/codes.h"
#include "cli/definition.h"
#include "cli/document.h"
#include "cli/drivers.h"
#include "cli/events.h"
#include "cli/inject.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/supervise.h"
#include "cli/undo.h"
#include "cli/xml.h"

static int
fail(const struct v2v_error *err)
{
    console_error(err);
    events_error(err);
    outcome_set("failed", code_of(err));
    if (err->code == V2V_ERR_USAGE)
        fprintf(stderr, "Try \"v2v-virtio --help\".\n");
    return (int)err->code;
}

/* The subcommands that look into a guest: what they do, how they report, and
 * their status. */
static const struct guest_command {
    enum cli_command command;
    int (*run)(struct report *report, struct v2v_error *err);
    int (*print)(const struct report *report, struct v2v_error *err);
    json_t *(*json)(const struct report *report);
    const char *(*status)(const struct report *report, const char **code);
} guest_commands[] = {
    { CLI_INJECT, inject, report_print, report_json, report_status },
    { CLI_CHECK, check, check_print, check_json, check_status_word },
    { CLI_VERIFY, verify, verify_print, verify_json, verify_status_word },
    { CLI_DRIVERS_EXPLAIN, drivers_explain, drivers_explain_print,
      drivers_explain_json, drivers_explain_status },
};

static const struct guest_command *
find_guest_command(const struct cli_options *options)
{
    for (size_t i = 0; i < sizeof guest_commands / sizeof *guest_commands; i++)
        if (guest_commands[i].command == options->command)
            return &guest_commands[i];
    return NULL;
}

/* A person has the message of a failure, and of a check what was found before
 * it. */
static int
print_report(const struct guest_command *command, const struct report *report,
             bool failed, struct v2v_error *err)
{
    if (report->options->json || report->options->quiet)
        return 0;
    progress_end();
    if (!failed)
        return command->print(report, err);
    if (report->options->command == CLI_CHECK)
        report_print_findings(&report->check);
    return 0;
}

static int
run_on_guest(const struct guest_command *command,
             const struct cli_options *options, struct answer *answer,
             enum v2v_error_code *outcome, struct v2v_error *err)
{
    struct report report = { .options = options };
    struct v2v_error report_err = { 0 };
    int result = command->run(&report, err);
    const char *code;

    answer->status = command->status(&report, &code);
    *outcome = report.outcome;
    outcome_set(answer->status, code);
    if (print_report(command, &report, result < 0, &report_err) < 0 &&
        result == 0) {
        *err = report_err;
        result = -1;
    }
    if (options->json)
        answer->details = command->json(&report);
    report_done(&report);
    return result;
}

/* The subcommands that print their own result. */
static int
run_simple(const struct cli_options *options, struct answer *answer,
           struct v2v_error *err)
{
    int result;

    if (options->command == CLI_DRIVERS_LIST)
        result = drivers_list(options, answer, err);
    else if (options->command == CLI_XML)
        result = xml(options, answer, err);
    else if (options->command == CLI_RECOVER)
        result = recover(options, answer, err);
    else
        result = options->list ? undo_list(options, answer, err)
                               : undo(options, answer, err);
    outcome_set(answer->status, NULL);
    return result;
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

/* A failure has a document, too. */
static int
answer_in_json(const struct cli_options *options, struct answer *answer,
               const struct console *console, int status,
               const struct v2v_error *error)
{
    struct v2v_error err = { 0 };

    if (document_print(options, answer, status, error, console, &err) == 0 ||
        error != NULL)
        return status;
    return fail(&err);
}

/* Those that only read leave nothing to be cleaned up. */
static bool
only_reads(const struct cli_options *options)
{
    return options->command == CLI_DRIVERS_LIST ||
           options->command == CLI_XML || options->list;
}

static int
run(const struct cli_options *options)
{
    const struct guest_command *command = find_guest_command(options);
    /* a list or an XML on standard output is for programs, too */
    struct console console = { .steps = !options->quiet && !options->json &&
                                        !only_reads(options),
                               .facts = options->verbose,
                               .trace = options->trace };
    struct answer answer = { 0 };
    struct v2v_error err = { 0 };
    enum v2v_error_code outcome = V2V_OK;
    int result, status;

    console_init(&console);
    result = command != NULL
                 ? run_on_guest(command, options, &answer, &outcome, &err)
                 : run_simple(options, &answer, &err);
    status = result < 0 ? fail(&err) : (int)outcome;
    if (options->json)
        status = answer_in_json(options, &answer, &console, status,
                                result < 0 ? &err : NULL);
    json_decref(answer.details);
    console_done(&console);
    return check_stdout(status);
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

/* Of a command line that cannot be understood, so much can. */
static bool
wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static int
refuse_usage(int argc, char **argv, const struct v2v_error *why)
{
    struct answer answer = { 0 };
    int status = fail(why);

    return wants_json(argc, argv)
               ? answer_in_json(NULL, &answer, NULL, status, why)
               : status;
}

static int
work(int argc, char **argv, const struct cli_options *options)
{
    struct v2v_error err = { 0 };
    int status;

    outcome_init();
    console_set_colors(options->colors);
    if (events_open(options, &err) < 0)
        return refuse_usage(argc, argv, &err);
    if (!options->quiet)
        progress_open();
    sandbox_set_mode(options->sandbox);
    status = only_reads(options) ? run(options) : supervise(run, options);
    status = check_stdout(status);
    events_done(status);
    return status;
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
        status = refuse_usage(argc, argv, &err);
    else if (options.help)
        cli_print_help();
    else if (options.version)
        printf("v2v-virtio " V2V_VERSION "\n");
    else if (options.long_options)
        cli_print_long_options();
    else if (options.capabilities)
        cli_print_capabilities();
    else
        status = work(argc, argv, &options);
    cli_options_done(&options);
    return check_stdout(status);
}
