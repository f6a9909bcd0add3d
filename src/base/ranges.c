/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 4096,   /* a hive's bins and NTFS' clusters are multiples of it */
    GAP = 64 << 10 /* equal bytes that are cheaper to write than a new call */
};

static bool
page_differs(const uint8_t *old, size_t old_len, const uint8_t *new,
             size_t new_len, size_t at)
{
    size_t end = new_len - at < PAGE ? new_len : at + PAGE;

    return end > old_len || memcmp(old + at, new + at, end - at) != 0;
}

bool
v2v_range_next(const uint8_t *old, size_t old_len, const uint8_t *new,
               size_t new_len, size_t at, struct v2v_range *ret)
{
    while (at < new_len && !page_differs(old, old_len, new, new_len, at))
        at += PAGE;
    if (at >= new_len)
        return false;
    *ret = (struct v2v_range){ at, at + PAGE };
    for (size_t p = ret->end; p < new_len && p - ret->end <= GAP &&
                              p + PAGE - ret->start <= V2V_RANGE_MAX;
         p += PAGE)
        if (page_differs(old, old_len, new, new_len, p))
            ret->end = p + PAGE;
    if (ret->end > new_len)
        ret->end = new_len;
    return true;
}

void
v2v_ranges_done(struct v2v_ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct v2v_ranges){ 0 };
}

int
v2v_ranges_add(struct v2v_ranges *ranges, struct v2v_range range,
               struct v2v_error *err)
{
    struct v2v_range *items =
        reallocarray(ranges->items, ranges->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "ranges");
    ranges->items = items;
    items[ranges->count++] = range;
    return 0;
}
