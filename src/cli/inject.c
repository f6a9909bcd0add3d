/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject.h"

#include <time.h>

#include "apply/apply.h"
#include "base/log.h"
#include "cli/events.h"
#include "cli/guard.h"
#include "cli/machine.h"
#include "cli/session.h"
#include "facts/witness.h"

/* What a check warns of is said at once; the report has all of it. */
static void
warn_of_findings(const struct check_result *check)
{
    for (size_t i = 0; i < check->count; i++) {
        const struct check_finding *finding = &check->findings[i];

        if (finding->code->severity == CHECK_WARNS || finding->allowed)
            v2v_warn("check", finding->code->name, "%s; %s", finding->evidence,
                     finding->code->advice);
    }
}

/* Nothing has been written yet. */
static int
stop_at_blockers(const struct report *report, struct v2v_error *err)
{
    const struct check_finding *first = check_blocker(&report->check);
    size_t count = check_count(&report->check, CHECK_BLOCKS);

    if (first == NULL)
        return 0;
    if (count > 1)
        v2v_warn("cli", "more-findings",
                 "%zu findings more are in the way: \"v2v-virtio check\" says "
                 "which",
                 count - 1);
    return v2v_refuse(err, check_status(first->code), first->code->name,
                      "%s: %s", report_image(report), first->evidence);
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

static struct domain_options
wanted_domain(const struct report *report)
{
    struct domain_options wanted = cli_domain_options(report->options);

    for (size_t i = 0; i < DOMAIN_DRIVERS; i++)
        *domain_driver(&wanted.drivers, i) =
            plan_has_driver(&report->plan, domain_driver_name(i));
    return wanted;
}

static int
make_domain(const struct session *session, struct report *report,
            struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    struct domain_options wanted = wanted_domain(report);
    V2V_AUTO(mem) char *output = NULL;
    struct domain_moved_image moved = { .from = report->disks.items[0].path,
                                        .format = "qcow2" };

    if (session->domain == NULL)
        return machine_make(session, report, &wanted, err);
    if (options->output != NULL &&
        image_absolute_name(options->output, &output, err) < 0)
        return -1;
    moved.to = output;
    wanted.moved = output != NULL ? &moved : NULL;
    if (domain_rewrite(session->domain, &wanted, &report->rewrite, err) < 0)
        return v2v_fail_in(err, "%s", report_xml_name(report));
    report->has_rewrite = true;
    return 0;
}

static bool
is_defined_anew(const struct report *report)
{
    return report->taken.domain.name != NULL && report->has_rewrite &&
           report->rewrite.change_count > 0;
}

/* The new definition as a string; and what could keep libvirt from taking it is
 * found before the image is written. */
static int
check_definition(struct report *report, struct v2v_error *err)
{
    struct v2v_bytes *xml = &report->rewrite.xml;

    if (!is_defined_anew(report))
        return 0;
    if (v2v_bytes_add(xml, "", 1, err) < 0)
        return -1;
    xml->len--; /* the NUL is behind it */
    return definition_check(report->options, &report->taken,
                            (const char *)xml->data, err);
}

static int
make_plan(struct session *session, struct report *report, struct v2v_error *err)
{
    v2v_step("cli", "plan", "Planning what to change");
    if (plan_make(&report->facts, report->choice.items, report->choice.count,
                  filetime_now(), &report->plan, err) < 0 ||
        make_domain(session, report, err) < 0 ||
        check_definition(report, err) < 0)
        return -1;
    if (apply_pending(session->guest, &report->hives, &report->plan, err) < 0 ||
        apply_check_space(session->guest, &report->plan, err) < 0)
        return v2v_fail_in(err, "%s", report_image(report));
    return 0;
}

/* What shows later that Windows has run. */
struct witnesses {
    struct image_witness items[FACTS_WITNESSES];
    size_t count;
    bool known;
};

static int
find_witnesses(const struct report *report, const struct disk_reader *disk,
               struct witnesses *ret, struct v2v_error *err)
{
    if (facts_witnesses(&report->facts, &report->hives, disk, ret->items,
                        &ret->count, err) < 0)
        return -1;
    ret->known = true;
    return 0;
}

/* Where the files of an encrypted volume are, is not to be seen without its
 * key: it is asked for while the volume is open.  Each of its sectors is
 * encrypted on its own and in its place, but for the first 8 KiB, which no file
 * of these has: what changes a file changes the image at the same place.
 * Source: J. Metz, "BitLocker Drive Encryption (BDE) format", "Volume header";
 * cryptsetup, lib/bitlk/bitlk.c, _activate(). */
static int
close_guest(struct session *session, const struct report *report,
            struct witnesses *witnesses, struct v2v_error *err)
{
    const struct facts *facts = &report->facts;
    struct disk_reader disk;

    if (facts->volumes[facts->system_volume].encrypted &&
        (guest_unmount(session->guest, err) < 0 ||
         guest_disk(session->guest, facts->disk, &disk, err) < 0 ||
         find_witnesses(report, &disk, witnesses, err) < 0))
        return -1;
    return guest_close(v2v_steal(session->guest), err);
}

/* From here on the overlay is written; ends with the appliance gone. */
static int
write_guest(struct session *session, struct report *report,
            struct witnesses *witnesses, struct v2v_error *err)
{
    struct guard guard;

    if (guard_before(session, report, &guard, err) < 0 ||
        apply_run(session->guest, &report->facts, &report->hives, &report->plan,
                  err) < 0 ||
        guard_after(session, report, &guard, err) < 0 ||
        close_guest(session, report, witnesses, err) < 0)
        return v2v_fail_in(err, "%s (the image is untouched)",
                           report_image(report));
    return 0;
}

/* "viostor 100.1.2.3, NetKVM 100.1.2.3": what an undo takes back. */
static int
describe(const struct plan *plan, struct v2v_bytes *ret, struct v2v_error *err)
{
    for (size_t i = 0; i < plan->package_count; i++) {
        const struct driver_package *driver = plan->packages[i].driver;
        const uint16_t *v = driver->version.driver_ver.version;

        if (v2v_bytes_list(ret, err, "%s %u.%u.%u.%u", driver->driver, v[0],
                           v[1], v[2], v[3]) < 0)
            return -1;
    }
    return v2v_bytes_add(ret, "", 1, err);
}

static int
find_xml(const struct report *report, char **path, struct image_xml *ret,
         struct v2v_error *err)
{
    const struct cli_options *options = report->options;

    if (!report->has_rewrite || options->output_xml == NULL)
        return 0;
    if (image_absolute_name(options->output_xml, path, err) < 0)
        return -1;
    *ret = (struct image_xml){ .path = *path,
                               .data = report->rewrite.xml.data,
                               .len = report->rewrite.xml.len,
                               .like = *path };
    if (options->domain != NULL) /* libvirt gave it with its passwords */
        ret->like = NULL;
    else if (options->domain_xml != NULL)
        ret->like = options->domain_xml;
    return 0;
}

static void
find_definition(const struct report *report, struct image_definition *ret)
{
    const struct host_domain *domain = &report->taken.domain;

    if (is_defined_anew(report))
        *ret = (struct image_definition){
            .domain = { report->taken.uri, domain->uuid, domain->name },
            .old = domain->xml,
            .xml = (const char *)report->rewrite.xml.data
        };
}

/* For an image that needs nothing. */
static int
write_domain(const struct report *report, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = NULL;
    struct image_xml xml = { 0 };

    if (find_xml(report, &path, &xml, err) < 0)
        return -1;
    if (xml.path == NULL)
        return 0;
    v2v_step("cli", "xml", "Writing %s", report->options->output_xml);
    return v2v_file_replace_like(xml.path, xml.like, xml.data, xml.len, err);
}

static int
note_undo_file(const struct image *image, struct report *report,
               struct v2v_error *err)
{
    if (image_undo_file(image) == NULL)
        return 0;
    report->undo_file = v2v_strdup(image_undo_file(image), err);
    return report->undo_file == NULL ? -1 : 0;
}

/* The image, then the XML, then the definition: one transaction.  When only the
 * last has failed there is something to undo. */
static int
commit(struct session *session, struct report *report,
       struct witnesses *witnesses, struct v2v_error *err)
{
    struct image *image = session_system_image(session, &report->facts);
    V2V_AUTO(bytes) struct v2v_bytes what = { 0 };
    V2V_AUTO(mem) char *xml_path = NULL;
    struct image_change change = { .witnesses = witnesses->items };
    struct disk_reader disk;
    int result;

    v2v_step("cli", "commit", "Committing to %s",
             report->options->output != NULL ? report->options->output
                                             : report_image(report));
    if (image_overlay_reader(image, &disk, err) < 0 ||
        (!witnesses->known &&
         find_witnesses(report, &disk, witnesses, err) < 0) ||
        describe(&report->plan, &what, err) < 0 ||
        find_xml(report, &xml_path, &change.xml, err) < 0 ||
        check_definition(report, err) < 0)
        return -1;
    change.what = (const char *)what.data;
    change.witness_count = witnesses->count;
    find_definition(report, &change.definition);
    result = image_commit(image, &change, err);
    report->defined = result == 0 && is_defined_anew(report);
    if (result < 0 && image_overlay_path(image) != NULL)
        return -1;
    return note_undo_file(image, report, err) < 0 ? -1 : result;
}

static bool
is_nothing_due(const struct report *report)
{
    return report->plan.file_count == 0 && report->plan.edits.count == 0;
}

/* The guest has everything; its new definition is a change of its own, which
 * can be undone like others. */
static int
commit_definition(struct session *session, struct report *report,
                  struct v2v_error *err)
{
    struct witnesses witnesses = { .known = false };

    if (close_guest(session, report, &witnesses, err) < 0 ||
        commit(session, report, &witnesses, err) < 0)
        return -1;
    report->status = REPORT_DONE;
    return 0;
}

static int
finish_as_it_is(struct session *session, struct report *report,
                struct v2v_error *err)
{
    if (guard_as_it_is(session, report, err) < 0)
        return -1;
    if (is_defined_anew(report))
        return commit_definition(session, report, err);
    if (write_domain(report, err) < 0)
        return -1;
    report->status = REPORT_NOTHING_TO_DO;
    return 0;
}

int
inject(struct report *report, struct v2v_error *err)
{
    V2V_AUTO(session) struct session session = { 0 };
    struct witnesses witnesses = { .known = false };

    if (session_open(report, &session, err) < 0 ||
        session_choose(&session, report, err) < 0 ||
        session_check(&session, report, err) < 0)
        return -1;
    events_findings(&report->check);
    warn_of_findings(&report->check);
    if (stop_at_blockers(report, err) < 0 ||
        make_plan(&session, report, err) < 0)
        return -1;
    if (report->options->dry_run) {
        report->status = REPORT_PLANNED;
        return 0;
    }
    if (is_nothing_due(report) && report->options->output == NULL)
        return finish_as_it_is(&session, report, err);
    if (write_guest(&session, report, &witnesses, err) < 0 ||
        commit(&session, report, &witnesses, err) < 0)
        return -1;
    report->status = REPORT_DONE;
    return 0;
}
