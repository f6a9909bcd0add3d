/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * apply/apply.h - carry out a plan: the only step that writes to a guest
 *
 * What it writes goes to the overlay that the guest was opened with; the
 * image is untouched until image_commit().
 */
#ifndef V2V_APPLY_APPLY_H
#define V2V_APPLY_APPLY_H

#include "facts/facts.h"
#include "guest/guest.h"
#include "plan/plan.h"

/**
 * apply_pending() - drop from a plan what the guest has already
 *
 * Reads only.  A plan that is left without files and edits says that the
 * guest needs nothing: the same injection a second time.
 */
int apply_pending(struct guest *guest, const struct facts_hives *hives,
                  struct plan *plan, struct v2v_error *err);

/**
 * apply_check_space() - will it fit?
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST; the text says how much is missing.
 */
int apply_check_space(struct guest *guest, const struct plan *plan,
                      struct v2v_error *err);

/**
 * apply_run() - files first, then SOFTWARE, DRIVERS and SYSTEM
 * @guest: the system volume is mounted anew, for writing
 * @hives: edited in memory and not to be used afterwards
 *
 * SYSTEM comes last since it makes the rest live.
 */
int apply_run(struct guest *guest, const struct facts *facts,
              struct facts_hives *hives, const struct plan *plan,
              struct v2v_error *err);

#endif
