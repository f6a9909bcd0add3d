/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * verify/verify.h - would it boot?  An audit of the boot chain, link by link
 *
 * Whoever prepared the guest: nothing here knows what plan/ writes, and no
 * decision is shared with it.  Starting from the controller that the machine
 * gives the boot disk, each thing that has to be there for Windows to come up
 * is looked for as the firmware, the loader and PnP look for it.
 *
 * Reads only.  "Would boot" is what documents, hives and others' measurements
 * say; nothing is booted.
 */
#ifndef V2V_VERIFY_VERIFY_H
#define V2V_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "domain/domain.h"
#include "facts/facts.h"
#include "guest/guest.h"

enum verify_state {
    VERIFY_HOLDS,
    VERIFY_WARNS,  /* it boots, as far as known, but this is not right */
    VERIFY_BROKEN, /* it would not boot, or not find its network card */
    VERIFY_UNKNOWN /* cannot be told, and why; also what lies behind a link that
                    * is broken */
};

/* "holds", "warns", "broken", "unknown" */
const char *verify_state_name(enum verify_state state);

struct verify_code {
    const char *name; /* "start-override": stable, unique, in the manual */
    const char *link; /* the link that it belongs to: "service-start" */
    enum verify_state state; /* WARNS or BROKEN: what it makes of its link */
    const char *advice;      /* one sentence: what to do */
};

/* All of them; @count is set. */
const struct verify_code *verify_codes(size_t *count);
/* The one of that name, or NULL. */
const struct verify_code *verify_find_code(const char *name);

struct verify_link {
    const char
        *link; /* static: "service-start"; those in their order: codes.c */
    const struct verify_code *code; /* NULL when it holds or is unknown */
    enum verify_state state;
    char *subject; /* key, file, id or partition: what was looked at */
    char *text;    /* one sentence: what was found there */
};

struct verify_result {
    struct verify_link *links;
    size_t count;
};

void verify_result_done(struct verify_result *result);

static inline void
v2v_auto_verify_result(struct verify_result *result)
{
    verify_result_done(result);
}

struct verify_input {
    struct guest *guest; /* the system volume is mounted, and is again at the
                          * end */
    const struct facts *facts;
    const struct facts_hives *hives;
    const struct domain_machine
        *machine; /* NULL: no domain XML.  Then the
                   * boot disk is taken to be on virtio-blk; on
                   * virtio-scsi if only for that something is there, or
                   * if @virtio_scsi */
    bool virtio_scsi;
};

/**
 * verify_run() - audit a guest
 * @ret: all zero
 *
 * One cause is one broken link: what cannot be judged because of it is
 * VERIFY_UNKNOWN, and names it.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL, and the errors of guest_read() other
 * than those that are an answer.
 */
int verify_run(const struct verify_input *input, struct verify_result *ret,
               struct v2v_error *err);

/* Is the link about what the guest brings along?  An injection is not
 * answerable for it. */
bool verify_is_of_guest(const struct verify_link *link);

/* The first link that is broken, or NULL. */
const struct verify_link *verify_broken(const struct verify_result *result);

#endif
