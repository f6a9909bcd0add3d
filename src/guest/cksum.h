/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/cksum.h - the checksum that tells what a file in the appliance holds
 */
#ifndef V2V_GUEST_CKSUM_H
#define V2V_GUEST_CKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of POSIX' cksum, which guestfs_checksum() calls "crc". */
uint32_t guest_cksum(const uint8_t *data, size_t len);

#endif
