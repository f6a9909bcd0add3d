/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/log.h"
#include "facts/find.h"
#include "guest/guest.h"
#include "image/image.h"
#include "media/media.h"

/* The drivers that this program knows by name: which devices of the domain
 * XML they serve, and without which the guest would not boot. */
static const struct {
    const char *driver;
    size_t device; /* in struct domain_drivers; SIZE_MAX: none */
    bool boot;
} known_drivers[] = {
    { "viostor", offsetof(struct domain_drivers, viostor), true },
    { "vioscsi", SIZE_MAX, true },
    { "NetKVM", offsetof(struct domain_drivers, netkvm), false },
    { "Balloon", offsetof(struct domain_drivers, balloon), false },
};

enum { KNOWN_COUNT = sizeof known_drivers / sizeof *known_drivers };

/* A run that is interrupted takes its overlay with it.  Inside the commit the
 * overlay is what finishes it and stays. */
static const char *volatile overlay_to_remove;

static void
on_signal(int number)
{
    if (overlay_to_remove != NULL)
        unlink(overlay_to_remove);
    signal(number, SIG_DFL);
    raise(number);
}

static void
catch_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

static int
load_domain(const struct cli_options *options, struct domain **ret,
            struct v2v_error *err)
{
    static const size_t largest_xml = 16 << 20;
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };

    if (options->domain_xml == NULL)
        return 0;
    if (v2v_file_read(options->domain_xml, largest_xml, &xml, err) < 0)
        return -1;
    if (domain_parse(xml.data, xml.len, ret, err) < 0)
        return v2v_fail_in(err, "%s", options->domain_xml);
    return 0;
}

/* An XML that does not name the image is probably another machine's. */
static void
warn_of_other_image(const struct cli_options *options,
                    const struct domain *domain)
{
    const char *slash = strrchr(options->image, '/');
    const char *name = slash != NULL ? slash + 1 : options->image;

    for (size_t i = 0; i < domain_disk_count(domain); i++) {
        const char *source = domain_disk_source(domain, i);

        if (source != NULL) {
            slash = strrchr(source, '/');
            if (strcmp(slash != NULL ? slash + 1 : source, name) == 0)
                return;
        }
    }
    v2v_warn("cli", "image-not-in-xml",
             "%s: no disk of this machine is named %s: is it the right XML?",
             options->domain_xml, name);
}

static int
check_boot_drivers(const struct report *report, struct v2v_error *err)
{
    const struct drivers_choice *choice = &report->choice;

    for (size_t i = 0; i < choice->missing.count; i++) {
        for (size_t j = 0; j < KNOWN_COUNT; j++)
            if (known_drivers[j].boot &&
                v2v_equal_nocase(choice->missing.items[i],
                                 known_drivers[j].driver))
                return v2v_fail(
                    err, V2V_ERR_DRIVER,
                    "%s: there is no boot driver %s for %s: %s",
                    report->options->virtio_iso, choice->missing.items[i],
                    report->facts.product_name, choice->missing_why.items[i]);
        v2v_warn("cli", "driver-missing",
                 "no driver %s for this Windows: %s; its device stays as it is",
                 choice->missing.items[i], choice->missing_why.items[i]);
    }
    return 0;
}

static int
choose_drivers(struct media *media, struct report *report,
               struct v2v_error *err)
{
    struct drivers_guest guest = { .target = report->facts.target,
                                   .os_label = report->facts.product_name };

    v2v_step("cli", "Choosing drivers for %s", report->facts.product_name);
    if (drivers_choose(media, &guest, &report->options->drivers,
                       &report->choice, err) < 0)
        return -1;
    return check_boot_drivers(report, err);
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

static int
rewrite_domain(const struct domain *domain, struct report *report,
               struct v2v_error *err)
{
    struct domain_drivers drivers = { 0 };

    if (domain == NULL)
        return 0;
    for (size_t i = 0; i < report->plan.package_count; i++)
        for (size_t j = 0; j < KNOWN_COUNT; j++)
            if (known_drivers[j].device != SIZE_MAX &&
                v2v_equal_nocase(report->plan.packages[i].driver->driver,
                                 known_drivers[j].driver))
                *(bool *)((char *)&drivers + known_drivers[j].device) = true;
    if (domain_rewrite(domain, &drivers, &report->rewrite, err) < 0)
        return v2v_fail_in(err, "%s", report->options->domain_xml);
    report->has_rewrite = true;
    return 0;
}

/* Facts, drivers, plan: everything that only reads. */
static int
prepare(struct guest *guest, struct media *media, const struct domain *domain,
        struct report *report, struct v2v_error *err)
{
    const struct cli_options *options = report->options;

    v2v_step("cli", "Reading the registry");
    if (facts_load(guest, options->root, &options->allow, &report->hives,
                   &report->facts, err) < 0)
        return v2v_fail_in(err, "%s", options->image);
    if (choose_drivers(media, report, err) < 0 ||
        plan_make(&report->facts, report->choice.items, report->choice.count,
                  filetime_now(), &report->plan, err) < 0 ||
        rewrite_domain(domain, report, err) < 0)
        return -1;
    if (apply_pending(guest, &report->hives, &report->plan, err) < 0 ||
        apply_check_space(guest, &report->plan, err) < 0)
        return v2v_fail_in(err, "%s", options->image);
    return 0;
}

static bool
is_empty(const struct plan *plan)
{
    return plan->file_count == 0 && plan->edits.count == 0;
}

/* From here on the overlay is written; ends with the appliance gone. */
static int
write_guest(struct guest **guest, struct report *report, struct v2v_error *err)
{
    if (apply_run(*guest, &report->facts, &report->hives, &report->plan, err) <
            0 ||
        guest_close(v2v_steal(*guest), err) < 0)
        return v2v_fail_in(err, "%s (the image is untouched)",
                           report->options->image);
    return 0;
}

static int
change_image(struct image *image, struct media *media,
             const struct domain *domain, struct report *report,
             struct v2v_error *err)
{
    V2V_AUTO(guest) struct guest *guest = NULL;

    v2v_step("cli", "Opening %s (%s)", image_path(image), image_format(image));
    if (guest_open(image_overlay_path(image), "qcow2", &guest, err) < 0 ||
        prepare(guest, media, domain, report, err) < 0)
        return -1;
    report->status = report->options->dry_run  ? REPORT_PLANNED
                     : is_empty(&report->plan) ? REPORT_NOTHING_TO_DO
                                               : REPORT_FAILED;
    if (report->status != REPORT_FAILED)
        return 0;
    if (write_guest(&guest, report, err) < 0)
        return -1;
    v2v_step("cli", "Committing to %s", image_path(image));
    overlay_to_remove = NULL;
    if (image_commit(image, err) < 0)
        return -1;
    report->status = REPORT_DONE;
    return 0;
}

static int
write_domain(const struct report *report, struct v2v_error *err)
{
    const struct v2v_bytes *xml = &report->rewrite.xml;

    if (!report->has_rewrite || report->options->dry_run)
        return 0;
    v2v_step("cli", "Writing %s", report->options->output_xml);
    return v2v_file_replace(report->options->output_xml, xml->data, xml->len,
                            err);
}

int
inject(struct report *report, struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    struct image_options image_options = { .format = options->format,
                                           .work_dir = options->work_dir };
    V2V_AUTO(domain) struct domain *domain = NULL;
    V2V_AUTO(media) struct media *media = NULL;
    V2V_AUTO(image) struct image *image = NULL;

    guest_set_trace(options->trace);
    /* what is cheap to refuse comes first: the appliance takes long */
    if (load_domain(options, &domain, err) < 0 ||
        media_open(options->virtio_iso, &media, err) < 0 ||
        image_open(options->image, &image_options, &image, err) < 0)
        return -1;
    snprintf(report->format, sizeof report->format, "%s", image_format(image));
    if (domain != NULL)
        warn_of_other_image(options, domain);
    if (image_overlay_create(image, err) < 0)
        return -1;
    overlay_to_remove = image_overlay_path(image);
    catch_signals();
    if (change_image(image, media, domain, report, err) < 0 ||
        write_domain(report, err) < 0) {
        overlay_to_remove = NULL;
        return -1;
    }
    overlay_to_remove = NULL;
    return 0;
}
