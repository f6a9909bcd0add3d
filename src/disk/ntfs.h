/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/ntfs.h - whether an NTFS volume was left in a state that may be
 * written: its dirty flag and its journal; and where on the disk a file starts
 *
 * Reads the boot sector, some records of the MFT and the two restart pages
 * of $LogFile.  Replays nothing, repairs nothing, knows no names of files (and
 * so does not see hiberfil.sys), and decides nothing: what is refused is the
 * caller's rule.
 */
#ifndef V2V_DISK_NTFS_H
#define V2V_DISK_NTFS_H

#include <stdbool.h>
#include <stddef.h>
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
 * The MFT itself may be fragmented: its own run lists are followed.  A journal
 * that cannot be understood is a state (NTFS_JOURNAL_UNREADABLE), not a
 * failure; a volume whose $Volume cannot be read is a failure.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT (no NTFS boot sector; a size in it
 * that no NTFS has; a file system larger than its volume, as in a truncated
 * image; a damaged record), V2V_ERR_INTERNAL (no memory), or what @disk's read
 * returned.
 *
 * Source: the layout of records and of the restart pages: the comments of
 * <ntfs-3g/layout.h> and <ntfs-3g/logfile.h> (package ntfs-3g-dev); version
 * 2.0: man ntfs-3g, "Windows hibernation and fast restarting".
 */
int ntfs_state_read(const struct disk_reader *disk, uint64_t volume_offset,
                    uint64_t volume_len, struct ntfs_state *ret,
                    struct v2v_error *err);

/* A file is named by the number of its record in the MFT (guest/guest.h,
 * file_number).  The journal's is the same on every volume, and its first bytes
 * are the two restart pages, of 4096 bytes each. */
enum { NTFS_LOGFILE = 2, NTFS_LOGFILE_RESTART = 8192 };

/* The longest part of a file that is looked for, and in how many pieces it can
 * be: the smallest cluster has 512 bytes. */
enum { NTFS_PLACE_MAX = 8192, NTFS_EXTENTS_MAX = NTFS_PLACE_MAX / 512 };

struct ntfs_extent {
    uint64_t offset; /* bytes from the start of the disk */
    uint64_t len;    /* bytes, not 0 */
};

/* The first bytes of a file, in their order; pieces that lie side by side are
 * one. */
struct ntfs_place {
    struct ntfs_extent extents[NTFS_EXTENTS_MAX];
    size_t count;
};

/**
 * ntfs_file_place() - where on the disk the first bytes of a file are
 * @disk, @volume_offset, @volume_len: as above
 * @number: of the file's record
 * @len:    bytes of the unnamed $DATA, 1..NTFS_PLACE_MAX
 * @ret:    written only on success: the extents' lengths add up to @len, each
 *          is inside the volume; nothing to free
 *
 * What lies at that place is what the file holds.  So it is V2V_ERR_FORMAT
 * when that cannot be said: the record is no file's that exists; the file is
 * shorter than @len, or was written less far; it is so small that it is kept
 * in its record, as no hive and no journal is; it is compressed or encrypted;
 * it has a hole there (a sparse file, or one that Windows' own compression
 * keeps in another stream); the volume is damaged.
 *
 * The place holds for as long as nothing writes to the volume.  The number
 * does not say whether the record has been given to another file meanwhile:
 * see what is found there.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT as above and as ntfs_state_read(),
 * V2V_ERR_INTERNAL (no memory), or what @disk's read returned.
 *
 * Source: as for ntfs_state_read(): MFT_RECORD, ATTR_RECORD, ATTR_LIST_ENTRY.
 */
int ntfs_file_place(const struct disk_reader *disk, uint64_t volume_offset,
                    uint64_t volume_len, uint64_t number, size_t len,
                    struct ntfs_place *ret, struct v2v_error *err);

/* "clean", "empty", "unclean" ...: for reports, never NULL. */
const char *ntfs_journal_name(enum ntfs_journal journal);

#endif
