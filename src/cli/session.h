/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/session.h - images that are open, their Windows known, its drivers
 * chosen
 *
 * What the subcommands that look into a guest have in common.  Reads only;
 * the overlays that the appliance needs go away with the session, but for the
 * one that is committed.
 */
#ifndef V2V_CLI_SESSION_H
#define V2V_CLI_SESSION_H

#include "cli/report.h"
#include "domain/domain.h"
#include "guest/guest.h"
#include "image/image.h"
#include "media/media.h"

struct session {
    struct domain *domain; /* NULL: no --domain-xml */
    struct media **media;  /* as options->media */
    size_t media_count;
    struct image **images; /* as options->images, all locked */
    size_t image_count;
    struct guest *guest;
};

/**
 * session_open() - everything up to the choice of drivers
 * @report: options are set; facts, hives and choice are filled in
 * @ret:    all zero; session_close(), also after a failure
 *
 * What is cheap to refuse is refused first: the appliance takes long.
 */
int session_open(struct report *report, struct session *ret,
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

/* The one that Windows is on, and that alone is ever written. */
struct image *session_system_image(const struct session *session,
                                   const struct facts *facts);

#endif
