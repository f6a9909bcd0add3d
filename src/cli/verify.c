/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/verify.c - "verify": would it boot? */
#include <stdio.h>

#include "cli/audit.h"
#include "cli/events.h"
#include "cli/json.h"
#include "cli/session.h"

int
verify(struct report *report, struct v2v_error *err)
{
    V2V_AUTO(session) struct session session = { 0 };
    struct domain_machine machine;

    if (session_open(report, &session, err) < 0 ||
        (session.domain != NULL &&
         session_machine(report, session.domain, report_image(report), &machine,
                         err) < 0) ||
        session_verify(&session, report,
                       session.domain != NULL ? &machine : NULL, &report->hives,
                       &report->verify, err) < 0)
        return -1;
    events_links(&report->verify);
    report->outcome =
        verify_broken(&report->verify) != NULL ? V2V_ERR_GUEST : V2V_OK;
    return 0;
}

/* "holds", or what is wrong */
static const char *
what_of(const struct verify_link *link)
{
    return link->code != NULL ? link->code->name : link->link;
}

static size_t
count_state(const struct verify_result *verify, enum verify_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < verify->count; i++)
        count += verify->links[i].state == state;
    return count;
}

void
report_print_links(const struct verify_result *verify, bool all)
{
    for (size_t i = 0; i < verify->count; i++) {
        const struct verify_link *link = &verify->links[i];

        if (link->state == VERIFY_HOLDS && !all)
            continue;
        console_verdict(verify_state_name(link->state), "%s: %s: %s",
                        what_of(link), link->subject, link->text);
        if (link->code != NULL)
            console_line("          %s", link->code->advice);
    }
}

int
verify_print(const struct report *report, struct v2v_error *err)
{
    const struct verify_result *verify = &report->verify;

    (void)err;
    report_print_guest(report);
    report_print_links(verify, true);
    printf("Result:   %zu of %zu links hold, %zu warn, %zu broken, %zu "
           "unknown\n",
           count_state(verify, VERIFY_HOLDS), verify->count,
           count_state(verify, VERIFY_WARNS),
           count_state(verify, VERIFY_BROKEN),
           count_state(verify, VERIFY_UNKNOWN));
    return 0;
}

const char *
verify_status_word(const struct report *report, const char **code)
{
    const struct verify_link *broken = verify_broken(&report->verify);

    *code = broken != NULL ? broken->code->name : NULL;
    return broken != NULL ? "broken" : "holds";
}

json_t *
verify_json(const struct report *report)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o}", "images", json_disks(&report->disks), "backend",
        json_backend(report->backend, report->not_direct, &report->libguestfs),
        "guest", json_guest(&report->facts), "links",
        json_links(&report->verify));
}
