/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/inject.h"

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

static int
run_inject(const struct cli_options *options)
{
    struct console console = { .steps = !options->quiet && !options->json,
                               .facts = options->verbose,
                               .trace = options->trace };
    struct report report = { .options = options };
    struct v2v_error err = { 0 };
    struct v2v_error report_err = { 0 };
    int result, status;

    console_init(&console);
    result = inject(&report, &err);
    console_end_progress(&console);
    status = result < 0 ? fail(&err) : V2V_OK;
    if (print_report(&report, &console, result < 0 ? &err : NULL, &report_err) <
            0 &&
        status == V2V_OK)
        status = fail(&report_err);
    report_done(&report);
    console_done(&console);
    return status;
}

static int
run(int argc, char **argv)
{
    struct cli_options options;
    struct v2v_error err = { 0 };
    int status = V2V_OK;

    if (cli_options_parse(argc, argv, &options, &err) < 0)
        status = fail(&err);
    else if (options.help)
        cli_print_help();
    else if (options.version)
        printf("v2v-virtio " V2V_VERSION "\n");
    else if (options.long_options)
        cli_print_long_options();
    else
        status = run_inject(&options);
    cli_options_done(&options);
    return status;
}

int
main(int argc, char **argv)
{
    struct v2v_error err = { 0 };
    bool is_option = argc > 1 && argv[1][0] == '-';

    if (argc < 2) {
        v2v_error_set(&err, V2V_ERR_USAGE,
                      "which command?  There is \"inject\"");
        return fail(&err);
    }
    if (!is_option && strcmp(argv[1], "inject") != 0) {
        v2v_error_set(&err, V2V_ERR_USAGE, "%s: no such command", argv[1]);
        return fail(&err);
    }
    return run(is_option ? argc : argc - 1, is_option ? argv : argv + 1);
}
