/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * facts/search.h - look into every volume of every disk of a guest
 *
 * Looks, and judges nothing: which Windows it is and why there is none is
 * find.c's.
 */
#ifndef V2V_FACTS_SEARCH_H
#define V2V_FACTS_SEARCH_H

#include "facts/facts.h"
#include "guest/guest.h"

/**
 * facts_search() - fill in the disks and the volumes
 * @facts: all zero; what was seen stays there after a failure
 *
 * A volume or a disk that cannot be read does not hide what is elsewhere: it
 * says why.  Whichever volume was the last one stays mounted.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL.
 */
int facts_search(struct guest *guest, struct facts *facts,
                 struct v2v_error *err);

#endif
