/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/guard.h"

#include <string.h>

#include "base/log.h"
#include "facts/find.h"

/* The machine that the guest is prepared for: that of the new XML, with the
 * boot disk behind the controller whose driver goes in, also where the XML
 * leaves the disk on another. */
static int
find_new_machine(const struct report *report, struct domain_machine *ret,
                 struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    V2V_AUTO(domain) struct domain *domain = NULL;

    if (domain_parse(report->rewrite.xml.data, report->rewrite.xml.len, &domain,
                     err) < 0 ||
        session_machine(report, domain,
                        options->output != NULL ? options->output
                                                : report_image(report),
                        ret, err) < 0)
        return -1;
    ret->boot_disk = NULL; /* it lives as long as @domain */
    if (!plan_has_boot_driver(&report->plan) ||
        ret->controller == DOMAIN_CONTROLLER_VIRTIO_BLK ||
        ret->controller == DOMAIN_CONTROLLER_VIRTIO_SCSI)
        return 0;
    ret->controller = options->virtio_scsi ? DOMAIN_CONTROLLER_VIRTIO_SCSI
                                           : DOMAIN_CONTROLLER_VIRTIO_BLK;
    ret->controller_ids = DOMAIN_VIRTIO_EITHER;
    return 0;
}

static bool
held(const struct verify_result *before, const struct verify_link *link)
{
    for (size_t i = 0; i < before->count; i++)
        if (strcmp(before->links[i].link, link->link) == 0 &&
            before->links[i].state <= VERIFY_WARNS &&
            strcmp(before->links[i].subject, link->subject) == 0)
            return true;
    return false;
}

/* A driver that Windows would not load was asked for all the same. */
static bool
is_allowed(const struct cli_options *options, const struct verify_link *link)
{
    return cli_allows(options, "driver-untrusted") &&
           (strcmp(link->link, "driver-signature") == 0 ||
            strcmp(link->link, "network-signature") == 0);
}

/* Is it what the drivers were to do that were injected? */
static bool
is_answerable(const struct report *report, const struct verify_link *link)
{
    if (verify_is_of_guest(link) || is_allowed(report->options, link))
        return false;
    return v2v_has_prefix_nocase(link->link, "network-")
               ? plan_has_driver(&report->plan, "NetKVM")
               : plan_has_boot_driver(&report->plan);
}

static void
warn_of(const struct verify_link *link)
{
    v2v_warn("verify", "would-not-boot", "%s: %s: %s; %s", link->code->name,
             link->subject, link->text, link->code->advice);
}

/* What this injection broke or left undone is a reason to stop; what was broken
 * before is told. */
static int
judge(const struct report *report, struct v2v_error *err)
{
    for (size_t i = 0; i < report->verify.count; i++) {
        const struct verify_link *link = &report->verify.links[i];

        if (link->state != VERIFY_BROKEN)
            continue;
        if (held(&report->before, link) || is_answerable(report, link))
            return v2v_refuse(err, V2V_ERR_GUEST, link->code->name,
                              "the guest would not boot: %s: %s", link->subject,
                              link->text);
        warn_of(link);
    }
    return 0;
}

/* Without a boot driver and without an XML the machine stays what it was, and
 * nobody has said what that is. */
static int
find_machine(const struct report *report, struct guard *ret,
             struct v2v_error *err)
{
    *ret = (struct guard){ .audits = report->has_rewrite ||
                                     plan_has_boot_driver(&report->plan),
                           .machine_known = report->has_rewrite };
    return report->has_rewrite ? find_new_machine(report, &ret->machine, err)
                               : 0;
}

static int
follow(struct session *session, const struct report *report,
       const struct guard *guard, const struct facts_hives *hives,
       struct verify_result *ret, struct v2v_error *err)
{
    if (!guard->audits)
        return 0;
    return session_verify(session, report,
                          guard->machine_known ? &guard->machine : NULL, hives,
                          ret, err);
}

int
guard_before(struct session *session, struct report *report, struct guard *ret,
             struct v2v_error *err)
{
    if (find_machine(report, ret, err) < 0)
        return -1;
    return follow(session, report, ret, &report->hives, &report->before, err);
}

int
guard_after(struct session *session, struct report *report,
            const struct guard *guard, struct v2v_error *err)
{
    if (facts_reload_hives(session->guest, &report->facts, &report->hives,
                           err) < 0 ||
        follow(session, report, guard, &report->hives, &report->verify, err) <
            0)
        return -1;
    return judge(report, err);
}

int
guard_as_it_is(struct session *session, struct report *report,
               struct v2v_error *err)
{
    struct guard guard;

    if (find_machine(report, &guard, err) < 0 ||
        follow(session, report, &guard, &report->hives, &report->verify, err) <
            0)
        return -1;
    for (size_t i = 0; i < report->verify.count; i++)
        if (report->verify.links[i].state == VERIFY_BROKEN)
            warn_of(&report->verify.links[i]);
    return 0;
}
