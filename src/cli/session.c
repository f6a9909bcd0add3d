/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "facts/find.h"

/* A run that is interrupted takes its overlay with it. */
static const char *volatile overlay_to_remove;

static void
on_signal(int number)
{
    if (overlay_to_remove != NULL)
        unlink(overlay_to_remove);
    signal(number, SIG_DFL);
    raise(number);
}

/* What was ignored when the program started stays so (nohup). */
static void
catch_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
    struct sigaction action = { .sa_handler = on_signal };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction old;

        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

static bool
is_same_file(const char *path, const struct stat *other)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == other->st_dev &&
           st.st_ino == other->st_ino;
}

/* Everything that could keep the XML from being written is found before the
 * image is. */
static int
check_output(const struct cli_options *options, struct v2v_error *err)
{
    const char *path = options->output_xml;
    V2V_AUTO(mem) char *probe = NULL;
    V2V_AUTO(fd) int fd = -1;
    struct stat output;

    if (path == NULL)
        return 0;
    if (stat(path, &output) == 0) {
        if (!S_ISREG(output.st_mode))
            return v2v_fail(err, V2V_ERR_USAGE, "%s: not a regular file", path);
        if (is_same_file(options->image, &output))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "%s: is the image, not a place for the XML", path);
        for (size_t i = 0; i < options->media.count; i++)
            if (is_same_file(options->media.items[i], &output))
                return v2v_fail(err, V2V_ERR_USAGE,
                                "%s: is the driver medium, not a place for the "
                                "XML",
                                path);
    }
    probe = v2v_format(err, "%s.XXXXXX", path);
    if (probe == NULL)
        return -1;
    fd = mkostemp(probe, O_CLOEXEC);
    if (fd < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: cannot be written: %s", path,
                        strerror(errno));
    unlink(probe);
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

/* An XML that does not name the image is probably another machine's. */
static void
warn_of_other_image(const struct cli_options *options,
                    const struct domain *domain)
{
    if (domain_image_count(domain, options->image) > 0)
        return;
    v2v_warn("cli", "image-not-in-xml",
             "%s: no disk of this machine is named %s: is it the right XML?",
             options->domain_xml, v2v_base_name(options->image));
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

static int
open_image(struct report *report, struct session *session,
           struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    struct image_options image_options = { .format = options->format,
                                           .work_dir = options->work_dir };
    struct guest_disk_source disk = { .format = "qcow2" };

    if (image_open(options->image, &image_options, &session->image, err) < 0)
        return -1;
    snprintf(report->format, sizeof report->format, "%s",
             image_format(session->image));
    catch_signals();
    if (image_overlay_create(session->image, err) < 0)
        return -1;
    overlay_to_remove = image_overlay_path(session->image);
    disk.image = overlay_to_remove;
    v2v_step("cli", "Opening %s (%s)", options->image, report->format);
    return guest_open(&disk, 1, &session->guest, err);
}

static int
choose_drivers(struct session *session, struct report *report,
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
    struct drivers_options options = { .allow_untrusted =
                                           report->options->allow_untrusted };

    v2v_step("cli", "Choosing drivers for %s", facts->product_name);
    if (facts->hvci)
        v2v_warn("cli", "hvci",
                 "memory integrity (HVCI) is on: Windows refuses a driver with "
                 "a section that is writable and executable, which is not "
                 "checked here");
    return drivers_choose(session->media, session->media_count, &guest,
                          &report->options->drivers, &options, &report->choice,
                          err);
}

int
session_open(struct report *report, struct session *ret, struct v2v_error *err)
{
    const struct cli_options *options = report->options;
    const struct facts_root root = { FACTS_ANY, options->root };

    guest_set_trace(options->trace);
    if (load_domain(options, &ret->domain, err) < 0 ||
        check_output(options, err) < 0 ||
        session_open_media(&options->media, &ret->media, &ret->media_count,
                           err) < 0)
        return -1;
    if (ret->domain != NULL)
        warn_of_other_image(options, ret->domain);
    if (open_image(report, ret, err) < 0)
        return -1;
    v2v_step("cli", "Reading the registry");
    if (facts_load(ret->guest, &root, &options->allow, &report->hives,
                   &report->facts, err) < 0)
        return v2v_fail_in(err, "%s", options->image);
    return choose_drivers(ret, report, err);
}

/* A signal waits until the commit is done: half of it is worse than late. */
int
session_commit(struct session *session, struct v2v_error *err)
{
    sigset_t all, old;
    int result;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    overlay_to_remove = NULL;
    result = image_commit(session->image, err);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return result;
}

void
session_close(struct session *session)
{
    guest_abandon(session->guest);
    overlay_to_remove = NULL;
    image_close(session->image);
    session_close_media(session->media, session->media_count);
    domain_free(session->domain);
    *session = (struct session){ 0 };
}
