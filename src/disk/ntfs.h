/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/ntfs.h - whether an NTFS volume was left in a state that may be
 * written: its dirty flag and its journal
 *
 * Reads the boot sector, three records of the MFT and the two restart pages
 * of $LogFile.  Replays nothing, repairs nothing, finds no files (and so does
 * not see hiberfil.sys), and decides nothing: what is refused is the caller's
 * rule.
 */
#ifndef V2V_DISK_NTFS_H
#define V2V_DISK_NTFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/probe.h"

enum ntfs_journal {
    NTFS_JOURNAL_CLEAN,   /* closed as Windows does at shutdown, or marked so */
    NTFS_JOURNAL_EMPTY,   /* restart pages are all 0xFF: mkntfs and ntfs-3g
                             leave it so; Windows starts a new journal.  Counts
                             as clean */
    NTFS_JOURNAL_UNCLEAN, /* open: Windows would replay it */
    NTFS_JOURNAL_V2,      /* open in the format of Windows 8 and later, which a
                             full shutdown turns back into 1.1: fast startup,
                             hibernation, or a crash */
    NTFS_JOURNAL_UNREADABLE /* no valid restart page: damaged, zeroed, not
                               found, or of a version unknown here */
};

/* A bit of ntfs_state.flags.  Source: the comments of VOLUME_FLAGS in
 * <ntfs-3g/layout.h>. */
enum { NTFS_VOLUME_IS_DIRTY = 0x0001 };

struct ntfs_state {
    uint8_t major, minor;      /* of NTFS: 3.1 since Windows XP, 3.0 for 2000 */
    uint16_t flags;            /* of $VOLUME_INFORMATION */
    bool dirty;                /* flags & NTFS_VOLUME_IS_DIRTY: chkdsk is due */
    enum ntfs_journal journal; /* of the restart page that is the newer one */
    uint32_t cluster_size;     /* bytes */
    uint64_t serial;           /* the volume's serial number, 64 bits */
};

/**
 * ntfs_state_read() - read the state of the NTFS at a place of a disk
 * @disk:          see disk/probe.h
 * @volume_offset: bytes; @volume_len: bytes, from a struct disk_volume
 * @ret:           written only on success; nothing to free
 *
 * The $MFT itself may be fragmented: its own run list is followed.  A journal
 * that cannot be understood is a state (NTFS_JOURNAL_UNREADABLE), not a
 * failure; a volume whose $Volume cannot be read is a failure.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT (no NTFS boot sector; a size in it
 * that no NTFS has; a file system larger than its volume, as in a truncated
 * image; a damaged record), or what @disk's read returned.
 *
 * Source: the layout of records and of the restart pages: the comments of
 * <ntfs-3g/layout.h> and <ntfs-3g/logfile.h> (package ntfs-3g-dev); version
 * 2.0: man ntfs-3g, "Windows hibernation and fast restarting".
 */
int ntfs_state_read(const struct disk_reader *disk, uint64_t volume_offset,
                    uint64_t volume_len, struct ntfs_state *ret,
                    struct v2v_error *err);

/* "clean", "empty", "unclean" ...: for reports, never NULL. */
const char *ntfs_journal_name(enum ntfs_journal journal);

#endif
