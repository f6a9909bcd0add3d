/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/session.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/choices.h"
#include "cli/keys.h"
#include "cli/same-file.h"
#include "cli/supervise.h"
#include "facts/find.h"

/* Of files that do not exist yet. */
static bool
is_same_name(const char *a, const char *b)
{
    V2V_AUTO(mem) char *first = NULL;
    V2V_AUTO(mem) char *second = NULL;

    return image_absolute_name(a, &first, NULL) == 0 &&
           image_absolute_name(b, &second, NULL) == 0 &&
           strcmp(first, second) == 0;
}

/* Among the first @count of them. */
static bool
is_disk(const struct cli_disks *disks, size_t count, const struct stat *st)
{
    for (size_t i = 0; i < count; i++)
        if (is_same_file(disks->items[i].path, st))
            return true;
    return false;
}

int
session_check_place(const char *path, struct v2v_error *err)
{
    V2V_AUTO(mem) char *place = NULL;
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return v2v_fail(err, V2V_ERR_USAGE, "%s: not a regular file", path);
    if (image_absolute_name(path, &place, err) < 0)
        return -1;
    if (access(dirname(place), W_OK | X_OK) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: cannot be written: %s", path,
                        strerror(errno));
    return 0;
}

/* Everything that could keep the XML from being written is found before the
 * image is. */
static int
check_output_xml(const struct report *report, struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    const char *path = options->output_xml;
    struct stat output;

    if (path == NULL)
        return 0;
    if (stat(path, &output) == 0) {
        if (is_disk(&report->disks, report->disks.count, &output))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "%s: is an image, not a place for the XML", path);
        if (same_file_among(&options->media, &output))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "%s: is a driver medium, not a place for the XML",
                            path);
    }
    if (options->output != NULL && is_same_name(options->output, path))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: is the output, not a place for the XML", path);
    return session_check_place(path, err);
}

/* Our lock would take the second for another run's. */
static int
check_images(const struct cli_disks *disks, struct v2v_error *err)
{
    for (size_t i = 0; i < disks->count; i++) {
        const char *path = disks->items[i].path;
        struct stat st;

        if (stat(path, &st) == 0 && is_disk(disks, i, &st))
            return v2v_fail(err, V2V_ERR_USAGE, "%s: given twice", path);
    }
    return 0;
}

static int
load_domain(const struct cli_options *options, struct domain **ret,
            struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };

    if (options->domain_xml == NULL)
        return 0;
    if (v2v_file_read(options->domain_xml, DOMAIN_XML_MAX, &xml, err) < 0)
        return -1;
    if (domain_parse(xml.data, xml.len, ret, err) < 0)
        return v2v_fail_in(err, "%s", options->domain_xml);
    return 0;
}

/* An XML that does not name the images is probably another machine's. */
static void
warn_of_other_images(const struct report *report, const struct domain *domain)
{
    for (size_t i = 0; i < report->disks.count; i++) {
        const char *path = report->disks.items[i].path;

        if (domain_image_count(domain, path) == 0)
            v2v_warn("cli", "image-not-in-xml",
                     "%s: no disk of this machine is named %s: is it the right "
                     "XML?",
                     report->options->domain_xml, v2v_base_name(path));
    }
}

/* The XML and the disks: from libvirt, which names them itself, or as the
 * command line says. */
static int
find_machine(struct report *report, struct session *session,
             struct v2v_error *err)
{
    const struct cli_options *options = report->options;

    if (options->domain != NULL)
        return definition_take(options, &report->taken, &session->domain,
                               &report->disks, err);
    if (cli_disks_named(options, &report->disks, err) < 0)
        return -1;
    return load_domain(options, &session->domain, err);
}

int
session_open_media(const struct v2v_strings *paths, struct media ***ret,
                   size_t *count, struct v2v_error *err)
{
    struct media **media = calloc(paths->count, sizeof *media);

    if (media == NULL)
        return v2v_fail_errno(err, errno, "media");
    *ret = media;
    for (*count = 0; *count < paths->count; ++*count)
        if (media_open(paths->items[*count], &media[*count], err) < 0)
            return -1;
    return 0;
}

void
session_close_media(struct media **media, size_t count)
{
    for (size_t i = 0; i < count; i++)
        media_close(media[i]);
    free(media);
}

/* An output takes the place of the first image. */
static int
open_image(const struct report *report, size_t i, struct image **ret,
           struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    const struct cli_disk *disk = &report->disks.items[i];
    bool read_only = !cli_writes(options);
    const struct image_options image_options = { .format = disk->format,
                                                 .work_dir = options->work_dir,
                                                 .output = i == 0 && !read_only
                                                               ? options->output
                                                               : NULL,
                                                 .read_only = read_only };

    if (image_open(disk->path, &image_options, ret, err) < 0)
        return -1;
    return read_only ? 0 : image_overlay_create(*ret, !options->no_undo, err);
}

/* What libvirt says is a disk, and is none to us, nobody has formatted yet; the
 * machine boots from another. */
static bool
is_dispensable(const struct cli_disk *disk, const struct v2v_error *why)
{
    return disk->beside && why->code == V2V_ERR_FORMAT;
}

/* An image and its disk have the same number. */
static int
open_images(struct report *report, struct session *session,
            struct v2v_error *err)
{
    struct cli_disks *disks = &report->disks;

    session->images = calloc(disks->count, sizeof(struct image *));
    if (session->images == NULL)
        return v2v_fail_errno(err, errno, "images");
    while (session->image_count < disks->count) {
        size_t i = session->image_count++;

        if (open_image(report, i, &session->images[i], err) == 0)
            continue;
        if (!is_dispensable(&disks->items[i], err))
            return -1;
        cli_disks_leave_out(disks, i, err->text);
        session->image_count--;
    }
    if (disks->count == 0)
        return v2v_refuse(err, V2V_ERR_GUEST, "disk-source",
                          "no hard disk of the domain is one yet");
    return 0;
}

static int
open_guest(struct report *report, struct session *session,
           struct v2v_error *err)
{
    size_t count = session->image_count;
    V2V_AUTO(mem)
    struct guest_disk_source *disks = calloc(count, sizeof *disks);
    struct guest_machine machine;

    if (disks == NULL)
        return v2v_fail_errno(err, errno, "disks");
    for (size_t i = 0; i < count; i++) {
        v2v_step("cli", "open", "Opening %s (%s)", report->disks.items[i].path,
                 image_format(session->images[i]));
        disks[i] = (struct guest_disk_source){
            .image = image_disk_path(session->images[i]),
            .format = image_disk_format(session->images[i]),
            .files = image_files(session->images[i]),
            .read_only = !cli_writes(report->options),
        };
    }
    machine =
        (struct guest_machine){ .backend = report->options->backend,
                                .disks = disks,
                                .count = count,
                                .scratch = image_scratch(session->images[0]),
                                .use = &report->libguestfs,
                                .keys = &session->keys,
                                .memsize = report->options->memsize,
                                .smp = report->options->smp };
    if (guest_open(&machine, &session->guest, err) < 0)
        return -1;
    report->backend = guest_backend_name(session->guest);
    snprintf(report->not_direct, sizeof report->not_direct, "%s",
             guest_backend_why(session->guest));
    return 0;
}

struct image *
session_system_image(const struct session *session, const struct facts *facts)
{
    return session->images[facts->disk];
}

/* Only the first disk has become a new file. */
static int
check_output(const struct report *report, struct v2v_error *err)
{
    if (report->options->output != NULL && report->facts.disk != 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "Windows is on %s: with --output its disk comes first",
                        report_image(report));
    return 0;
}

static int
load_facts(struct report *report, struct session *session,
           struct v2v_error *err)
{
    struct facts *facts = &report->facts;

    v2v_step("cli", "facts", "Reading the registry");
    if (facts_load(session->guest, &report->options->root, &report->hives,
                   facts, err) < 0)
        return v2v_fail_in(err, "%s", report->disks.items[0].path);
    snprintf(report->format, sizeof report->format, "%s",
             image_format(session_system_image(session, facts)));
    return check_output(report, err);
}

/* Those that were not opened at once: somebody had offered what is chosen from
 * them. */
static int
open_media(struct session *session, const struct cli_options *options,
           struct v2v_error *err)
{
    return session->media_count > 0
               ? 0
               : session_open_media(&options->media, &session->media,
                                    &session->media_count, err);
}

int
session_choose(struct session *session, struct report *report,
               struct v2v_error *err)
{
    const struct facts *facts = &report->facts;
    enum domain_secure_boot secure_boot =
        session->domain != NULL ? domain_secure_boot(session->domain)
                                : DOMAIN_SECURE_BOOT_UNKNOWN;
    struct drivers_guest guest = {
        .target = facts->target,
        .os_label = facts->product_name,
        .secure_boot_known = secure_boot != DOMAIN_SECURE_BOOT_UNKNOWN,
        .secure_boot = secure_boot == DOMAIN_SECURE_BOOT_ON,
        .test_signing = facts->test_signing
    };
    struct drivers_options options = {
        .allow_untrusted = cli_allows(report->options, "driver-untrusted")
    };

    if (report->options->media.count == 0)
        return 0;
    v2v_step("cli", "drivers", "Choosing drivers for %s", facts->product_name);
    if (choices_take(&report->options->media, &guest, &report->options->drivers,
                     &options, &report->choice))
        return 0;
    if (open_media(session, report->options, err) < 0)
        return -1;
    return drivers_choose(session->media, session->media_count, &guest,
                          &report->options->drivers, &options, &report->choice,
                          err);
}

int
session_open(struct report *report, struct session *ret, struct v2v_error *err)
{
    const struct cli_options *options = report->options;

    guest_set_trace(options->trace);
    if (cli_keys_load(&options->keys, &ret->keys, err) < 0 ||
        find_machine(report, ret, err) < 0 ||
        check_output_xml(report, err) < 0 ||
        check_images(&report->disks, err) < 0 ||
        (!choices_know(&options->media) && open_media(ret, options, err) < 0))
        return -1;
    if (options->domain_xml != NULL)
        warn_of_other_images(report, ret->domain);
    supervise_tell(&report->disks);
    if (open_images(report, ret, err) < 0 || open_guest(report, ret, err) < 0)
        return -1;
    return load_facts(report, ret, err);
}

int
session_check(struct session *session, struct report *report,
              struct v2v_error *err)
{
    const struct check_input input = {
        .guest = session->guest,
        .facts = &report->facts,
        .hives = &report->hives,
        .images = session->images,
        .image_count = session->image_count,
        .domain = session->domain,
        .choice = report->options->media.count > 0 ? &report->choice : NULL,
        .allow = &report->options->allow
    };

    v2v_step("cli", "check", "Checking");
    return check_run(&input, &report->check, err);
}

int
session_machine(const struct report *report, const struct domain *domain,
                const char *image, struct domain_machine *ret,
                struct v2v_error *err)
{
    if (domain_machine(domain, image, ret, err) < 0)
        return v2v_fail_in(err, "%s", report_xml_name(report));
    return 0;
}

int
session_verify(struct session *session, const struct report *report,
               const struct domain_machine *machine,
               const struct facts_hives *hives, struct verify_result *ret,
               struct v2v_error *err)
{
    const struct verify_input input = { .guest = session->guest,
                                        .facts = &report->facts,
                                        .hives = hives,
                                        .machine = machine,
                                        .virtio_scsi =
                                            report->options->virtio_scsi };

    v2v_step("cli", "verify", "Following the boot chain");
    return verify_run(&input, ret, err);
}

void
session_close(struct session *session)
{
    guest_abandon(session->guest);
    guest_keys_done(&session->keys);
    for (size_t i = 0; i < session->image_count; i++)
        image_close(session->images[i]);
    free(session->images);
    session_close_media(session->media, session->media_count);
    domain_free(session->domain);
    *session = (struct session){ 0 };
}
