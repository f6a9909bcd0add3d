/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cli/audit.h"
#include "cli/batch.h"
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

/* What to do about it is said to people, where check/ knows; a document has it
 * anyway. */
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

static int
fail(const struct v2v_error *err)
{
    struct v2v_error said = *err;

    add_advice(&said);
    console_error(&said);
    events_error(err);
    outcome_set("failed", code_of(err));
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

static int run_one(const struct cli_options *options);

/* The subcommands that print their own result. */
static int
run_simple(const struct cli_options *options, struct answer *answer,
           enum v2v_error_code *outcome, struct v2v_error *err)
{
    int result;

    if (options->command == CLI_BATCH)
        result = batch(options, run_one, answer, outcome, err);
    else if (options->command == CLI_DRIVERS_LIST)
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

/* Those that only read leave nothing to be cleaned up; of a batch each run is
 * supervised by itself. */
static bool
runs_here(const struct cli_options *options)
{
    return options->command == CLI_DRIVERS_LIST ||
           options->command == CLI_XML || options->command == CLI_BATCH ||
           options->list;
}

static int
run(const struct cli_options *options)
{
    const struct guest_command *command = find_guest_command(options);
    /* a list or an XML on standard output is for programs, too, and a batch
     * has its own table */
    struct console console = { .steps = !options->quiet && !options->json &&
                                        !runs_here(options),
                               .facts = options->verbose,
                               .trace = options->trace };
    struct answer answer = { 0 };
    struct v2v_error err = { 0 };
    enum v2v_error_code outcome = V2V_OK;
    int result, status;

    console_init(&console);
    result = command != NULL
                 ? run_on_guest(command, options, &answer, &outcome, &err)
                 : run_simple(options, &answer, &outcome, &err);
    status = result < 0 ? fail(&err) : (int)outcome;
    if (options->json)
        status = answer_in_json(options, &answer, &console, status,
                                result < 0 ? &err : NULL);
    json_decref(answer.details);
    console_done(&console);
    return check_stdout(status, status == V2V_OK && cli_writes(options)
                                    ? " (all is done, only the report is lost)"
                                    : "");
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

/* Of a command line that cannot be understood, so much can. */
static bool
wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

/* @words: of the command, which has help. */
static int
refuse_usage(int argc, char **argv, int words, const struct v2v_error *why)
{
    struct answer answer = { 0 };
    int status = fail(why);

    fprintf(stderr, "Try \"v2v-virtio help%s%s%s%s\".\n", words > 0 ? " " : "",
            words > 0 ? argv[1] : "", words > 1 ? " " : "",
            words > 1 ? argv[2] : "");
    if (wants_json(argc, argv))
        status = answer_in_json(NULL, &answer, NULL, status, why);
    return check_stdout(status, "");
}

/* A run, of which a batch has many. */
static int
run_one(const struct cli_options *options)
{
    outcome_init();
    console_set_colors(options->colors);
    sandbox_set_mode(options->sandbox);
    return runs_here(options) ? run(options) : supervise(run, options);
}

/* As supervise() does; here a batch that was told to end. */
static void
end_by_signal(int status)
{
    if (status <= 128)
        return;
    signal(status - 128, SIG_DFL);
    raise(status - 128);
}

static int
work(int argc, char **argv, const struct cli_options *options)
{
    struct v2v_error err = { 0 };
    int status;

    console_set_colors(options->colors);
    if (events_open(options, &err) < 0)
        return refuse_usage(argc, argv, options->command_len, &err);
    if (!options->quiet && options->command != CLI_BATCH)
        progress_open();
    status = run_one(options);
    events_done(status);
    end_by_signal(status);
    return status;
}

static int
help(int argc, char **argv)
{
    struct v2v_error err = { 0 };

    if (cli_print_help(argc, argv, &err) < 0)
        return refuse_usage(argc, argv, 0, &err);
    return check_stdout(V2V_OK, "");
}

static int
carry_out(int argc, char **argv, const struct cli_options *options)
{
    if (options->help)
        return help(options->command_len, argv + 1);
    if (options->version)
        printf("v2v-virtio " V2V_VERSION "\n");
    else if (options->long_options)
        cli_print_long_options();
    else if (options->capabilities)
        cli_print_capabilities();
    else
        return work(argc, argv, options);
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
                 ? refuse_usage(argc, argv, options.command_len, &err)
                 : carry_out(argc, argv, &options);
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
