/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/session.h - images that are open, their Windows known, its drivers
 * chosen
 *
 * What the subcommands that look into a guest have in common.  Nothing here
 * writes to a guest; "inject" gets overlays to write to, which go away with the
 * session, but for the one that is committed.
 */
#ifndef V2V_CLI_SESSION_H
#define V2V_CLI_SESSION_H

#include "cli/report.h"
#include "domain/domain.h"
#include "guest/guest.h"
#include "image/image.h"
#include "media/media.h"

struct session {
    struct domain *domain; /* NULL: neither --domain-xml nor --domain */
    struct media **media;  /* as options->media */
    size_t media_count;
    struct image **images; /* as report->disks, all locked */
    size_t image_count;
    struct guest_keys keys; /* --key; of @guest */
    struct guest *guest;
};

/**
 * session_open() - everything up to the facts
 * @report: options are set; disks, taken, format, facts and hives are filled in
 * @ret:    all zero; session_close(), also after a failure
 *
 * What is cheap to refuse is refused first: the appliance takes long.  Only
 * "inject" without --dry-run may write to what it opens.
 */
int session_open(struct report *report, struct session *ret,
                 struct v2v_error *err);

/* Fills in report->choice; without a medium there is none. */
int session_choose(struct session *session, struct report *report,
                   struct v2v_error *err);

/* Fills in report->check, with what is known by then. */
int session_check(struct session *session, struct report *report,
                  struct v2v_error *err);

/* The machine of @domain; @image: that Windows is on. */
int session_machine(const struct report *report, const struct domain *domain,
                    const char *image, struct domain_machine *ret,
                    struct v2v_error *err);

/**
 * session_verify() - audit the boot chain as the guest is now
 * @machine: that it is to boot on; NULL: not known
 * @hives:   as they are now
 */
int session_verify(struct session *session, const struct report *report,
                   const struct domain_machine *machine,
                   const struct facts_hives *hives, struct verify_result *ret,
                   struct v2v_error *err);

void session_close(struct session *session);

static inline void
v2v_auto_session(struct session *session)
{
    session_close(session);
}

/* Open each of @paths; @ret: an array of @count, even after a failure. */
int session_open_media(const struct v2v_strings *paths, struct media ***ret,
                       size_t *count, struct v2v_error *err);
void session_close_media(struct media **media, size_t count);

/* A regular file, or none yet, in a folder that can be written: V2V_ERR_USAGE
 * if not. */
int session_check_place(const char *path, struct v2v_error *err);

/* The one that Windows is on, and that alone is ever written. */
struct image *session_system_image(const struct session *session,
                                   const struct facts *facts);

#endif
