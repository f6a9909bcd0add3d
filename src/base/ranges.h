/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * base/ranges.h - which parts of a file have to be written so that it becomes
 * another
 */
#ifndef V2V_BASE_RANGES_H
#define V2V_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The most that one range has: what one call of libguestfs takes. */
#define V2V_RANGE_MAX ((size_t)1 << 20)

struct v2v_range {
    size_t start, end; /* bytes; @end is not part of it */
};

/**
 * v2v_range_next() - the first range at or after byte @at of @new that differs
 *
 * Made of whole pages of 4 KiB, but for the end of the file; neighbours are
 * merged, with what lies between them when that is little.  All that @old
 * does not have differs.  @at is 0 or the end of the range before.
 *
 * Returns: false when there is none.
 */
bool v2v_range_next(const uint8_t *old, size_t old_len, const uint8_t *new,
                    size_t new_len, size_t at, struct v2v_range *ret);

/* All zero is none. */
struct v2v_ranges {
    struct v2v_range *items; /* in order */
    size_t count;
};

int v2v_ranges_add(struct v2v_ranges *ranges, struct v2v_range range,
                   struct v2v_error *err);
void v2v_ranges_done(struct v2v_ranges *ranges);

static inline void
v2v_auto_ranges(struct v2v_ranges *ranges)
{
    v2v_ranges_done(ranges);
}

#endif
