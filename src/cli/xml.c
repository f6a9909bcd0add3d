/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/xml.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/diff.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/session.h"

struct run {
    const struct cli_options *options;
    struct domain_rewrite rewrite;
    struct v2v_bytes diff; /* when it was asked for */
};

static bool
is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *
input_name(const struct cli_options *options)
{
    return is_standard(options->domain_xml) ? "standard input"
                                            : options->domain_xml;
}

static int
read_input(const struct cli_options *options, struct v2v_bytes *ret,
           struct v2v_error *err)
{
    if (!is_standard(options->domain_xml))
        return v2v_file_read(options->domain_xml, DOMAIN_XML_MAX, ret, err);
    if (v2v_fd_read(STDIN_FILENO, DOMAIN_XML_MAX, ret, err) < 0)
        return v2v_fail_in(err, "%s", input_name(options));
    return 0;
}

static int
make_diff(struct run *run, const struct domain *domain, struct v2v_error *err)
{
    const char *input = run->options->domain_xml;
    const char *output = run->options->output_xml;
    V2V_AUTO(domain) struct domain *result = NULL;

    if (!run->options->diff)
        return 0;
    if (domain_parse(run->rewrite.xml.data, run->rewrite.xml.len, &result,
                     err) < 0)
        return -1;
    return diff_unified(&(struct diff_side){ input, domain_text(domain) },
                        &(struct diff_side){ output != NULL ? output : input,
                                             domain_text(result) },
                        &run->diff, err);
}

static int
rewrite(struct run *run, struct v2v_error *err)
{
    const struct cli_options *options = run->options;
    struct domain_options wanted = cli_domain_options(options);
    V2V_AUTO(bytes) struct v2v_bytes input = { 0 };
    V2V_AUTO(domain) struct domain *domain = NULL;

    if (read_input(options, &input, err) < 0)
        return -1;
    for (size_t i = 0; i < DOMAIN_DRIVERS; i++)
        *domain_driver(&wanted.drivers, i) =
            v2v_strings_has_nocase(&options->drivers, domain_driver_name(i));
    if (domain_parse(input.data, input.len, &domain, err) < 0)
        return v2v_fail_in(err, "%s", input_name(options));
    if (domain_rewrite(domain, &wanted, &run->rewrite, err) < 0 ||
        make_diff(run, domain, err) < 0)
        return v2v_fail_in(err, "%s", input_name(options));
    return 0;
}

/* To where it was asked for; a link stays one. */
static int
write_output(const struct run *run, struct v2v_error *err)
{
    const char *path = run->options->output_xml;
    const struct v2v_bytes *xml = &run->rewrite.xml;
    V2V_AUTO(mem) char *place = NULL;

    if (path == NULL)
        return 0;
    if (is_standard(path)) {
        fwrite(xml->data, 1, xml->len, stdout); /* main() sees a failure */
        return 0;
    }
    if (image_absolute_name(path, &place, err) < 0)
        return -1;
    return v2v_file_replace_like(place, run->options->domain_xml, xml->data,
                                 xml->len, err);
}

/* On standard error when standard output is an XML or a diff. */
static void
print_report(const struct run *run)
{
    const struct cli_options *options = run->options;
    bool taken = options->diff || is_standard(options->output_xml);
    FILE *to = taken ? stderr : stdout;

    if (run->diff.len > 0)
        fwrite(run->diff.data, 1, run->diff.len, stdout);
    if (options->quiet)
        return;
    report_print_rewrite(to, &run->rewrite);
    if (run->rewrite.change_count == 0)
        fputs("Result:   nothing to do\n", to);
    else
        fprintf(to, "Result:   %zu change%s\n", run->rewrite.change_count,
                run->rewrite.change_count == 1 ? "" : "s");
}

static json_t *
diff_json(const struct run *run)
{
    json_t *diff;

    if (!run->options->diff)
        return json_null();
    if (run->diff.len == 0)
        return json_string("");
    diff = json_stringn((const char *)run->diff.data, run->diff.len);
    return diff != NULL ? diff : json_text("\xff"); /* not in UTF-8 */
}

static json_t *
run_json(const struct run *run)
{
    const struct cli_options *options = run->options;
    json_t *ret =
        json_rewrite(&run->rewrite, options->domain_xml, options->output_xml);

    if (json_object_set_new(ret, "drivers", json_strings(&options->drivers)) <
            0 ||
        json_object_set_new(ret, "diff", diff_json(run)) < 0) {
        json_decref(ret);
        return NULL;
    }
    return ret;
}

static int
carry_out(struct run *run, struct v2v_error *err)
{
    const char *output = run->options->output_xml;

    if (output != NULL && !is_standard(output) &&
        session_check_place(output, err) < 0)
        return -1;
    if (rewrite(run, err) < 0)
        return -1;
    return write_output(run, err);
}

int
xml(const struct cli_options *options, struct answer *ret,
    struct v2v_error *err)
{
    struct run run = { .options = options };
    int result;

    v2v_step("cli", "xml", "Rewriting %s", input_name(options));
    result = carry_out(&run, err);
    ret->status = report_status_name(
        run.rewrite.change_count == 0 ? REPORT_NOTHING_TO_DO : REPORT_DONE);
    if (options->json)
        ret->details = run_json(&run);
    else if (result == 0)
        print_report(&run);
    domain_rewrite_done(&run.rewrite);
    v2v_bytes_done(&run.diff);
    return result;
}
