/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject.h"

#include <time.h>

#include "apply/apply.h"
#include "base/log.h"
#include "cli/session.h"

/* Without one of these the guest would not boot. */
static bool
is_boot_driver(const char *name)
{
    return v2v_equal_nocase(name, "viostor") ||
           v2v_equal_nocase(name, "vioscsi");
}

static int
check_missing(const struct report *report, struct v2v_error *err)
{
    const struct drivers_choice *choice = &report->choice;

    for (size_t i = 0; i < choice->missing.count; i++) {
        const char *name = choice->missing.items[i];
        const char *why = choice->missing_why.items[i];

        if (choice->missing_rule[i] == DRIVERS_LOST_SUPERSEDED)
            continue; /* what replaces it was chosen */
        if (is_boot_driver(name))
            return v2v_fail(err, V2V_ERR_DRIVER,
                            "%s: there is no boot driver %s for %s: %s",
                            report->options->media.items[0], name,
                            report->facts.product_name, why);
        v2v_warn("cli", "driver-missing",
                 "no driver %s for this Windows: %s; its device stays as it is",
                 name, why);
    }
    return 0;
}

/* FILETIME: 100 ns since 1601; 1970 is 11644473600 s later. */
static uint64_t
filetime_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec + UINT64_C(11644473600)) * 10000000 +
           (uint64_t)now.tv_nsec / 100;
}

static bool
is_planned(const struct plan *plan, const char *driver)
{
    for (size_t i = 0; i < plan->package_count; i++)
        if (v2v_equal_nocase(plan->packages[i].driver->driver, driver))
            return true;
    return false;
}

static int
rewrite_domain(const struct domain *domain, struct report *report,
               struct v2v_error *err)
{
    const struct domain_drivers drivers = {
        .viostor = is_planned(&report->plan, "viostor"),
        .netkvm = is_planned(&report->plan, "NetKVM"),
        .balloon = is_planned(&report->plan, "Balloon"),
    };

    if (domain == NULL)
        return 0;
    if (domain_rewrite(domain, &drivers, NULL, &report->rewrite, err) < 0)
        return v2v_fail_in(err, "%s", report->options->domain_xml);
    report->has_rewrite = true;
    return 0;
}

static int
make_plan(struct session *session, struct report *report, struct v2v_error *err)
{
    if (check_missing(report, err) < 0 ||
        plan_make(&report->facts, report->choice.items, report->choice.count,
                  filetime_now(), &report->plan, err) < 0 ||
        rewrite_domain(session->domain, report, err) < 0)
        return -1;
    if (apply_pending(session->guest, &report->hives, &report->plan, err) < 0 ||
        apply_check_space(session->guest, &report->plan, err) < 0)
        return v2v_fail_in(err, "%s", report->options->image);
    return 0;
}

/* From here on the overlay is written; ends with the appliance gone. */
static int
write_guest(struct session *session, struct report *report,
            struct v2v_error *err)
{
    if (apply_run(session->guest, &report->facts, &report->hives, &report->plan,
                  err) < 0 ||
        guest_close(v2v_steal(session->guest), err) < 0)
        return v2v_fail_in(err, "%s (the image is untouched)",
                           report->options->image);
    return 0;
}

static int
write_domain(const struct report *report, struct v2v_error *err)
{
    const struct v2v_bytes *xml = &report->rewrite.xml;

    if (!report->has_rewrite)
        return 0;
    v2v_step("cli", "Writing %s", report->options->output_xml);
    return v2v_file_replace(report->options->output_xml, xml->data, xml->len,
                            err);
}

int
inject(struct report *report, struct v2v_error *err)
{
    V2V_AUTO(session) struct session session = { 0 };
    const struct plan *plan = &report->plan;

    if (session_open(report, &session, err) < 0 ||
        make_plan(&session, report, err) < 0)
        return -1;
    if (report->options->dry_run) {
        report->status = REPORT_PLANNED;
        return 0;
    }
    if (plan->file_count == 0 && plan->edits.count == 0) {
        if (write_domain(report, err) < 0)
            return -1;
        report->status = REPORT_NOTHING_TO_DO;
        return 0;
    }
    if (write_guest(&session, report, err) < 0)
        return -1;
    v2v_step("cli", "Committing to %s", report->options->image);
    if (session_commit(&session, err) < 0 || write_domain(report, err) < 0)
        return -1;
    report->status = REPORT_DONE;
    return 0;
}
