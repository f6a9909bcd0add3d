/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/bitlocker.h - who can open a BitLocker volume: is its protection
 * suspended, and what protects its master key
 *
 * A volume whose protection is suspended is still encrypted; its master key is
 * kept there under a key that lies beside it, the clear key.  Nothing is
 * decrypted here.
 */
#ifndef V2V_DISK_BITLOCKER_H
#define V2V_DISK_BITLOCKER_H

#include "base/error.h"
#include "disk/probe.h"

enum bitlocker_state {
    BITLOCKER_UNKNOWN,  /* no metadata that is understood: Windows Vista, or
                         * damaged */
    BITLOCKER_LOCKED,   /* no clear key */
    BITLOCKER_CLEAR_KEY /* one at least: suspended, or never switched on */
};

struct bitlocker {
    enum bitlocker_state state;
    char protectors[160]; /* for people: "TPM, recovery password"; may be "" */
};

/**
 * bitlocker_read() - the key protectors of the volume at a place of a disk
 * @volume_offset: bytes; @volume_len: bytes, from a struct disk_volume whose
 *                 content is DISK_BITLOCKER
 * @ret:           written only on success; nothing to free
 *
 * Of the three copies of the metadata the first that is sound counts.
 *
 * Returns: 0, or -1 with what @disk's read returned.
 *
 * Source: J. Metz, "BitLocker Drive Encryption (BDE) format", libbde,
 * "Volume header", "FVE metadata block", "FVE volume master key (VMK)".
 */
int bitlocker_read(const struct disk_reader *disk, uint64_t volume_offset,
                   uint64_t volume_len, struct bitlocker *ret,
                   struct v2v_error *err);

#endif
