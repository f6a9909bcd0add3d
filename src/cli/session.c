/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/session.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "facts/find.h"

static bool
is_same_file(const char *path, const struct stat *other)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == other->st_dev &&
           st.st_ino == other->st_ino;
}

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

static bool
is_among(const struct v2v_strings *paths, const struct stat *st)
{
    for (size_t i = 0; i < paths->count; i++)
        if (is_same_file(paths->items[i], st))
            return true;
    return false;
}

/* Everything that could keep the XML from being written is found before the
 * image is. */
static int
check_output_xml(const struct cli_options *options, struct v2v_error *err)
{
    const char *path = options->output_xml;
    V2V_AUTO(mem) char *copy = NULL;
    struct stat output;

    if (path == NULL)
        return 0;
    if (stat(path, &output) == 0) {
        if (!S_ISREG(output.st_mode))
            return v2v_fail(err, V2V_ERR_USAGE, "%s: not a regular file", path);
        if (is_among(&options->images, &output))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "%s: is an image, not a place for the XML", path);
        if (is_among(&options->media, &output))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "%s: is a driver medium, not a place for the XML",
                            path);
    }
    if (options->output != NULL && is_same_name(options->output, path))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: is the output, not a place for the XML", path);
    copy = v2v_strdup(path, err);
    if (copy == NULL)
        return -1;
    if (access(dirname(copy), W_OK | X_OK) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: cannot be written: %s", path,
                        strerror(errno));
    return 0;
}

/* Our lock would take the second for another run's. */
static int
check_images(const struct v2v_strings *images, struct v2v_error *err)
{
    for (size_t i = 0; i < images->count; i++) {
        const struct v2v_strings before = { images->items, i };
        struct stat st;

        if (stat(images->items[i], &st) == 0 && is_among(&before, &st))
            return v2v_fail(err, V2V_ERR_USAGE, "%s: given twice",
                            images->items[i]);
    }
    return 0;
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

/* An XML that does not name the images is probably another machine's. */
static void
warn_of_other_images(const struct cli_options *options,
                     const struct domain *domain)
{
    for (size_t i = 0; i < options->images.count; i++)
        if (domain_image_count(domain, options->images.items[i]) == 0)
            v2v_warn("cli", "image-not-in-xml",
                     "%s: no disk of this machine is named %s: is it the right "
                     "XML?",
                     options->domain_xml,
                     v2v_base_name(options->images.items[i]));
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
open_images(const struct cli_options *options, struct session *session,
            struct v2v_error *err)
{
    bool read_only = !cli_writes(options);

    session->images = calloc(options->images.count, sizeof(struct image *));
    if (session->images == NULL)
        return v2v_fail_errno(err, errno, "images");
    session->image_count = options->images.count;
    for (size_t i = 0; i < session->image_count; i++) {
        const struct image_options image_options = {
            .format = options->format,
            .work_dir = options->work_dir,
            .output = i == 0 && !read_only ? options->output : NULL,
            .read_only = read_only
        };
        struct image **image = &session->images[i];

        if (image_open(options->images.items[i], &image_options, image, err) <
            0)
            return -1;
        if (!read_only &&
            image_overlay_create(*image, !options->no_undo, err) < 0)
            return -1;
    }
    return 0;
}

/* An image that nobody writes to can be read beside the appliance, which takes
 * a tenth of a second for each piece where it is emulated. */
static int
open_readers(struct session *session, struct v2v_error *err)
{
    session->readers = calloc(session->image_count, sizeof *session->readers);
    if (session->readers == NULL)
        return v2v_fail_errno(err, errno, "disks");
    for (size_t i = 0; i < session->image_count; i++)
        if (image_overlay_reader(session->images[i], &session->readers[i],
                                 err) < 0)
            return -1;
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
    if (!cli_writes(report->options) && open_readers(session, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        v2v_step("cli", "Opening %s (%s)", report->options->images.items[i],
                 image_format(session->images[i]));
        disks[i] = (struct guest_disk_source){
            .image = image_disk_path(session->images[i]),
            .format = image_disk_format(session->images[i]),
            .files = image_files(session->images[i]),
            .read_only = !cli_writes(report->options),
            .reader = session->readers != NULL ? &session->readers[i] : NULL
        };
    }
    machine =
        (struct guest_machine){ .backend = report->options->backend,
                                .disks = disks,
                                .count = count,
                                .scratch = image_scratch(session->images[0]) };
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
check_output(const struct cli_options *options, const struct facts *facts,
             struct v2v_error *err)
{
    if (options->output != NULL && facts->disk != 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "Windows is on %s: with --output its disk comes first",
                        options->images.items[facts->disk]);
    return 0;
}

static int
load_facts(struct report *report, struct session *session,
           struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    struct facts *facts = &report->facts;

    v2v_step("cli", "Reading the registry");
    if (facts_load(session->guest, &options->root, &report->hives, facts, err) <
        0)
        return v2v_fail_in(err, "%s", options->images.items[0]);
    snprintf(report->format, sizeof report->format, "%s",
             image_format(session_system_image(session, facts)));
    return check_output(options, facts, err);
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

    if (session->media_count == 0)
        return 0;
    v2v_step("cli", "Choosing drivers for %s", facts->product_name);
    return drivers_choose(session->media, session->media_count, &guest,
                          &report->options->drivers, &options, &report->choice,
                          err);
}

int
session_open(struct report *report, struct session *ret, struct v2v_error *err)
{
    const struct cli_options *options = report->options;

    guest_set_trace(options->trace);
    if (load_domain(options, &ret->domain, err) < 0 ||
        check_output_xml(options, err) < 0 ||
        check_images(&options->images, err) < 0 ||
        session_open_media(&options->media, &ret->media, &ret->media_count,
                           err) < 0)
        return -1;
    if (ret->domain != NULL)
        warn_of_other_images(options, ret->domain);
    if (open_images(options, ret, err) < 0 || open_guest(report, ret, err) < 0)
        return -1;
    return load_facts(report, ret, err);
}

int
session_check(struct session *session, struct report *report,
              struct v2v_error *err)
{
    const struct check_input input = { .guest = session->guest,
                                       .facts = &report->facts,
                                       .hives = &report->hives,
                                       .images = session->images,
                                       .image_count = session->image_count,
                                       .domain = session->domain,
                                       .choice = session->media_count > 0
                                                     ? &report->choice
                                                     : NULL,
                                       .allow = &report->options->allow };

    v2v_step("cli", "Checking");
    return check_run(&input, &report->check, err);
}

int
session_machine(const struct report *report, const struct domain *domain,
                const char *image, struct domain_machine *ret,
                struct v2v_error *err)
{
    if (domain_machine(domain, image, ret, err) < 0)
        return v2v_fail_in(err, "%s", report->options->domain_xml);
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

    v2v_step("cli", "Following the boot chain");
    return verify_run(&input, ret, err);
}

void
session_close(struct session *session)
{
    guest_abandon(session->guest);
    for (size_t i = 0; i < session->image_count; i++)
        image_close(session->images[i]);
    free(session->images);
    free(session->readers);
    session_close_media(session->media, session->media_count);
    domain_free(session->domain);
    *session = (struct session){ 0 };
}
