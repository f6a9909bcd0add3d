/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/bitlocker.h - who can open a BitLocker volume: is its protection
 * suspended, what protects its master key, and how that and the volume are
 * called
 *
 * A volume whose protection is suspended is still encrypted; its master key is
 * kept there under a key that lies beside it, the clear key.  Nothing is
 * decrypted here.
 */
#ifndef V2V_DISK_BITLOCKER_H
#define V2V_DISK_BITLOCKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "disk/probe.h"

enum bitlocker_state {
    BITLOCKER_UNKNOWN,  /* no metadata that is understood: Windows Vista, or
                         * damaged */
    BITLOCKER_LOCKED,   /* no clear key */
    BITLOCKER_CLEAR_KEY /* one at least: suspended, or never switched on */
};

/* "3fd763f9-74c7-4e90-8fa2-1f6a2e2b4e0c": in lower case, as cryptsetup
 * bitlkDump prints it; manage-bde has it in upper case and braces. */
enum { BITLOCKER_ID_LEN = 36 };
struct bitlocker_id {
    char text[BITLOCKER_ID_LEN + 1];
};

/* A volume seldom has more than three protectors; those beyond are counted
 * among the protectors, but have no name here. */
enum { BITLOCKER_IDS_MAX = 16 };

struct bitlocker {
    enum bitlocker_state state;
    char protectors[160]; /* for people: "TPM, recovery password"; may be "" */
    bool needs_tpm;       /* what is no recovery password is a TPM's, with or
                           * without a PIN, and there is one such */
    struct bitlocker_id volume; /* "" while @state is BITLOCKER_UNKNOWN */
    struct bitlocker_id ids[BITLOCKER_IDS_MAX]; /* of the protectors */
    size_t id_count;
    struct bitlocker_id recovery; /* of the first recovery password, what
                                   * Windows calls the recovery key ID; "" */
};

/**
 * bitlocker_read() - the key protectors of the volume at a place of a disk
 * @volume_offset: bytes; @volume_len: bytes, from a struct disk_volume whose
 *                 content is DISK_BITLOCKER
 * @ret:           written only on success; nothing to free
 *
 * Of the three copies of the metadata the first that is sound counts, that has
 * a protector.
 *
 * Returns: 0, or -1 with what @disk's read returned.
 *
 * Source: J. Metz, "BitLocker Drive Encryption (BDE) format", libbde,
 * "Volume header", "FVE metadata block", "FVE volume master key (VMK)".
 */
int bitlocker_read(const struct disk_reader *disk, uint64_t volume_offset,
                   uint64_t volume_len, struct bitlocker *ret,
                   struct v2v_error *err);

/* Is @id the volume's, or that of one of its protectors?  Without regard to
 * case; the braces of manage-bde may be there or not. */
bool bitlocker_has_id(const struct bitlocker *volume, const char *id);

/* Is @text such an identifier, with or without braces? */
bool bitlocker_is_id(const char *text);

#endif
