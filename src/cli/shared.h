/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/shared.h - memory that the worker and who waits for it both see
 *
 * What the worker forks does not have it: those processes read what a guest
 * says, and must not be believed. */
#ifndef V2V_CLI_SHARED_H
#define V2V_CLI_SHARED_H

#include <stddef.h>

/* Zeroes, until the program ends; made before the fork.  NULL: no memory, and
 * errno. */
void *shared_new(size_t size);

/* Called by the worker, before it starts anything. */
void shared_withhold(void);

#endif
