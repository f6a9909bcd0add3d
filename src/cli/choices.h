/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/choices.h - what was chosen for one guest, for others of its kind
 *
 * Which packages a guest gets depends on the media, on what was asked for and
 * on what kind of Windows it is; and a batch has many guests of few kinds.  The
 * parent opens the media once.  A child that meets a kind which nobody has met
 * chooses itself, and tells the parent, which chooses for that kind as well;
 * children that are forked afterwards find the choice in their memory: read,
 * verified, and with the warnings that belong to it.
 *
 * Without choices_offer() nothing is ever found here, and nobody listens.
 */
#ifndef V2V_CLI_CHOICES_H
#define V2V_CLI_CHOICES_H

#include "drivers/drivers.h"

/* ---- The parent ---- */

/* Children may ask for choices from these media.  Opens them, each list once;
 * -1 as media_open(). */
int choices_offer(const struct v2v_strings *media, struct v2v_error *err);

/* Choose what children have missed up to now.  What cannot be chosen is left to
 * the children, who can say why. */
void choices_learn(void);

void choices_done(void);

/* ---- A child ---- */

/* Were they offered?  Then they need not be opened before something is to be
 * chosen that is not there. */
bool choices_know(const struct v2v_strings *media);

/**
 * choices_take() - as drivers_choose(), of what was chosen before
 * @ret: written when it is there; the caller's
 *
 * Returns: false: it is not there, and the parent was told.
 */
bool choices_take(const struct v2v_strings *media,
                  const struct drivers_guest *guest,
                  const struct v2v_strings *names,
                  const struct drivers_options *options,
                  struct drivers_choice *ret);

#endif
