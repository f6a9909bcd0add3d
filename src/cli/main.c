/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/drivers.h"
#include "cli/inject.h"
#include "cli/supervise.h"
#include "cli/undo.h"

static int
fail(const struct v2v_error *err)
{
    fprintf(stderr, "v2v-virtio: %s\n", err->text);
    if (err->code == V2V_ERR_USAGE)
        fprintf(stderr, "Try \"v2v-virtio --help\".\n");
    return (int)err->code;
}

static int
print_report(const struct report *report, const struct console *console,
             const struct v2v_error *failure, struct v2v_error *err)
{
    const struct cli_options *options = report->options;

    if (options->json)
        return report_print_json(report, console, failure, err);
    if (failure != NULL || options->quiet)
        return 0;
    return report_print(report, err);
}

/* "inject" ends with a report whatever happens; the others print their own. */
static int
run_on_guest(const struct cli_options *options)
{
    struct console console = { .steps = !options->quiet && !options->json,
                               .facts = options->verbose,
                               .trace = options->trace };
    struct report report = { .options = options };
    struct v2v_error err = { 0 };
    struct v2v_error report_err = { 0 };
    bool injects = options->command == CLI_INJECT;
    int result, status;

    console_init(&console);
    result = injects ? inject(&report, &err) : drivers_explain(&report, &err);
    console_end_progress(&console);
    status = result < 0 ? fail(&err) : V2V_OK;
    if (injects &&
        print_report(&report, &console, result < 0 ? &err : NULL, &report_err) <
            0 &&
        status == V2V_OK)
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
    bool guest = options->command == CLI_INJECT ||
                 options->command == CLI_DRIVERS_EXPLAIN;

    return check_stdout(guest ? run_on_guest(options) : run_simple(options));
}

/* Those that only read leave nothing to be cleaned up. */
static bool
only_reads(const struct cli_options *options)
{
    return options->command == CLI_DRIVERS_LIST || options->list;
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
    if (cli_options_parse(argc, argv, &options, &err) < 0)
        status = fail(&err);
    else if (options.help)
        cli_print_help();
    else if (options.version)
        printf("v2v-virtio " V2V_VERSION "\n");
    else if (options.long_options)
        cli_print_long_options();
    else
        status =
            only_reads(&options) ? run(&options) : supervise(run, &options);
    cli_options_done(&options);
    return check_stdout(status);
}
