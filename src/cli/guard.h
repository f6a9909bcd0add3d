/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/guard.h - the boot chain around an injection
 *
 * It is followed before the guest is written and after, on the overlay, as if
 * somebody else had written it.  What was broken before is told; what the
 * injection broke, or left undone, keeps it from being committed.
 */
#ifndef V2V_CLI_GUARD_H
#define V2V_CLI_GUARD_H

#include "cli/session.h"

struct guard {
    bool audits;        /* false: nobody has said what the machine will be */
    bool machine_known; /* by the domain XML */
    struct domain_machine machine; /* that the guest is prepared for */
};

/* Fills in report->before, and @ret for guard_after(). */
int guard_before(struct session *session, struct report *report,
                 struct guard *ret, struct v2v_error *err);

/* Fills in report->verify, from the volume mounted anew; the hives of the
 * report are then as they are there.  V2V_ERR_GUEST, with the code of a link,
 * or V2V_ERR_INTERNAL: the guest must not be committed. */
int guard_after(struct session *session, struct report *report,
                const struct guard *guard, struct v2v_error *err);

/* For a guest that needs nothing: fills in report->verify, and warns. */
int guard_as_it_is(struct session *session, struct report *report,
                   struct v2v_error *err);

#endif
