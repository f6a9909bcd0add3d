/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/ranges.h - which parts of a file have to be written so that it
 * becomes another, and the checksum that tells that it did
 */
#ifndef V2V_GUEST_RANGES_H
#define V2V_GUEST_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that one range has: what one call of libguestfs takes. */
#define RANGE_MAX ((size_t)1 << 20)

struct range {
    size_t start, end; /* bytes; @end is not part of it */
};

/**
 * range_next() - the first range at or after byte @at of @new that differs
 *
 * Made of whole pages of 4 KiB, but for the end of the file; neighbours are
 * merged, with what lies between them when that is little.  All that @old
 * does not have differs.  @at is 0 or the end of the range before.
 *
 * Returns: false when there is none.
 */
bool range_next(const uint8_t *old, size_t old_len, const uint8_t *new,
                size_t new_len, size_t at, struct range *ret);

/* The CRC of POSIX' cksum, which guestfs_checksum() calls "crc". */
uint32_t range_cksum(const uint8_t *data, size_t len);

#endif
