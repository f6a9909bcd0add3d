/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/outcome.h"

#include <stdio.h>

#include "cli/shared.h"

static struct outcome {
    char status[32], code[64];
    bool has_document;
} own, *outcome = &own;

void
outcome_init(void)
{
    struct outcome *shared = shared_new(sizeof *shared);

    if (shared != NULL)
        outcome = shared;
    outcome_set("failed", "internal"); /* of one that says nothing */
}

void
outcome_set(const char *status, const char *code)
{
    snprintf(outcome->status, sizeof outcome->status, "%s", status);
    snprintf(outcome->code, sizeof outcome->code, "%s",
             code != NULL ? code : "");
}

const char *
outcome_status(void)
{
    return outcome->status;
}

const char *
outcome_code(void)
{
    return *outcome->code != '\0' ? outcome->code : NULL;
}

void
outcome_begin_document(void)
{
    outcome->has_document = true;
}

bool
outcome_has_document(void)
{
    return outcome->has_document;
}
