/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/ledger-json.h"

/* NULL is null. */
static json_t *
text_json(const char *s)
{
    json_t *value = s != NULL ? json_string(s) : json_null();

    return value != NULL ? value : json_string("\xef\xbf\xbd");
}

static json_t *
number_or_null(bool given, int number)
{
    return given ? json_integer(number) : json_null();
}

static json_t *
outcome_json(const struct result *r)
{
    if (r == NULL)
        return json_null();
    return json_pack(
        "{s:i, s:o, s:s, s:s, s:f, s:f, s:I, s:o, s:o, s:o, s:o, s:o}",
        "attempt", (int)r->attempt, "host", text_json(r->host), "started",
        r->started, "ended", r->ended, "seconds", r->seconds, "cpu_seconds",
        r->cpu_seconds, "memory_kib", (json_int_t)r->memory_kib, "exit_status",
        number_or_null(r->exit_status >= 0, r->exit_status), "signal",
        number_or_null(r->signal != 0, r->signal), "code", text_json(r->code),
        "message", text_json(r->message), "backend", text_json(r->backend));
}

json_t *
ledger_item_json(const struct ledger_item *item)
{
    return json_pack(
        "{s:I, s:o, s:s, s:i, s:o}", "line", (json_int_t)item->line, "identity",
        text_json(item->identity), "state", ledger_state_name(item->state),
        "attempts", (int)item->attempts, "outcome", outcome_json(item->result));
}

json_t *
ledger_counts_json(const size_t counts[LEDGER_STATES])
{
    json_t *object = json_object();

    for (int i = 0; i < LEDGER_STATES; i++)
        json_object_set_new(object, ledger_state_name((enum ledger_state)i),
                            json_integer((json_int_t)counts[i]));
    return object;
}
