/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/near.h - "did you mean ...?"
 */
#ifndef V2V_CLI_NEAR_H
#define V2V_CLI_NEAR_H

/* All zero: nothing was offered. */
struct near {
    const char *best; /* the nearest that is near enough, or NULL */
    unsigned distance;
};

/* Is @candidate, which lives on, what somebody meant who wrote @word?  It is if
 * it begins with that, or if a letter in three has to be inserted, deleted or
 * replaced (Levenshtein), at most. */
void near_offer(struct near *near, const char *word, const char *candidate);

#endif
