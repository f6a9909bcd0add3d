/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/check.c - "check": what stands in the way */
#include <stdio.h>

#include "cli/audit.h"
#include "cli/events.h"
#include "cli/json.h"
#include "cli/session.h"

/* A medium of which nothing can be chosen does not keep the guest from being
 * looked at. */
static int
look(struct session *session, struct report *report, struct v2v_error *err)
{
    struct v2v_error why = { 0 };
    int chosen = session_choose(session, report, &why);

    if (session_check(session, report, err) < 0)
        return -1;
    if (chosen < 0)
        *err = why;
    return chosen;
}

int
check(struct report *report, struct v2v_error *err)
{
    V2V_AUTO(session) struct session session = { 0 };
    struct v2v_error why = { 0 };
    const struct check_finding *blocker;
    int known;

    if (session_open(report, &session, &why) == 0) {
        if (look(&session, report, err) < 0)
            return -1;
        events_findings(&report->check);
        blocker = check_blocker(&report->check);
        report->outcome =
            blocker != NULL ? check_status(blocker->code) : V2V_OK;
        return 0;
    }
    known = check_refusal(&why, &report->check, err);
    events_findings(&report->check);
    if (known == 0)
        *err = why;
    report->outcome = why.code;
    return known == 1 ? 0 : -1;
}

void
report_print_findings(const struct check_result *check)
{
    for (size_t i = 0; i < check->count; i++) {
        const struct check_finding *finding = &check->findings[i];

        console_verdict(finding->allowed
                            ? "allowed"
                            : check_severity_name(finding->code->severity),
                        "%s: %s", finding->code->name, finding->evidence);
        console_line("          %s", finding->code->advice);
    }
    for (size_t i = 0; i < check->gap_count; i++)
        console_line("unchecked %s: %s", check->gaps[i].what,
                     check->gaps[i].why);
}

int
check_print(const struct report *report, struct v2v_error *err)
{
    const struct check_result *check = &report->check;

    (void)err;
    report_print_guest(report);
    report_print_findings(check);
    printf("Result:   %zu block, %zu warn, %zu for information\n",
           check_count(check, CHECK_BLOCKS), check_count(check, CHECK_WARNS),
           check_count(check, CHECK_INFO));
    return 0;
}

const char *
check_status_word(const struct report *report, const char **code)
{
    const struct check_finding *blocker = check_blocker(&report->check);

    *code = blocker != NULL ? blocker->code->name : NULL;
    return report->outcome == V2V_OK ? "clear" : "blocked";
}

json_t *
check_json(const struct report *report)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "images", json_disks(&report->disks),
        "backend",
        json_backend(report->backend, report->not_direct, &report->libguestfs),
        "guest", json_guest(&report->facts), "findings",
        json_findings(&report->check), "not_checked",
        json_gaps(&report->check));
}
