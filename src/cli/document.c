/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/document.h"

#include <stdio.h>
#include <string.h>

#include "cli/codes.h"
#include "cli/option-table.h"
#include "cli/outcome.h"

/* null: not known. */
static json_t *
command_json(const struct cli_options *options)
{
    if (options == NULL)
        return json_null();
    if (options->list)
        return json_string("undo --list");
    return json_string(
        cli_command_name(cli_command_words(options->command)).text);
}

static json_t *
head_json(const struct cli_options *options, const char *status,
          int exit_status, const struct v2v_error *error,
          const struct console *console)
{
    return json_pack("{s:i, s:s, s:o, s:s, s:i, s:o, s:o}", "schema",
                     JSON_SCHEMA_VERSION, "program", "v2v-virtio " V2V_VERSION,
                     "command", command_json(options), "status", status,
                     "exit_status", exit_status, "error", json_failure(error),
                     "warnings",
                     console != NULL ? json_warnings(console) : json_array());
}

/* The head comes first and has the last word. */
static json_t *
join(json_t *head, json_t *details)
{
    if (head == NULL || details == NULL ||
        json_object_update_missing(head, details) == 0) {
        json_decref(details);
        return head;
    }
    json_decref(head);
    json_decref(details);
    return NULL;
}

static const char *
failed_status(const struct v2v_error *error)
{
    return strcmp(code_of(error), "interrupted") == 0 ? "interrupted"
                                                      : "failed";
}

int
document_print(const struct cli_options *options, struct answer *answer,
               int exit_status, const struct v2v_error *error,
               const struct console *console, struct v2v_error *err)
{
    const char *status = error != NULL ? failed_status(error) : answer->status;
    json_t *details = answer->details;

    answer->details = NULL;
    outcome_begin_document();
    return json_print(
        join(head_json(options, status, exit_status, error, console), details),
        err);
}

void
document_print_interrupted(const struct cli_options *options, int exit_status,
                           const char *text)
{
    struct v2v_error error = { .code = (enum v2v_error_code)exit_status,
                               .finding = "interrupted" };

    if (outcome_has_document())
        return;
    snprintf(error.text, sizeof error.text, "%s", text);
    json_print(head_json(options, "interrupted", exit_status, &error, NULL),
               NULL);
    fflush(stdout);
}
