/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/mft.h - for the files of this folder: the records of an NTFS' master
 * file table, and the clusters that hold what a file's record leads to
 *
 * A file is a record of the MFT; what it holds are attributes.  Attributes
 * that do not fit there are in records of their own (extension records),
 * found through the attribute list, and one long run list may be spread over
 * several of them.  That is so for large registry hives and for the MFT
 * itself on volumes that are old or were nearly full.
 *
 * All functions return 0, or -1 with V2V_ERR_FORMAT, V2V_ERR_INTERNAL (no
 * memory) or what the disk's read returned.
 *
 * Source: the comments of <ntfs-3g/layout.h> (package ntfs-3g-dev).
 */
#ifndef V2V_DISK_MFT_H
#define V2V_DISK_MFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/probe.h"

/* Records are 1024 bytes, 4096 on 4K native disks. */
enum { MFT_RECORD_MIN = 512, MFT_RECORD_MAX = 4096 };

/* Types of attributes.  Source: <ntfs-3g/layout.h>, ATTR_TYPES. */
enum {
    MFT_ATTRIBUTE_LIST = 0x20,
    MFT_VOLUME_INFORMATION = 0x70,
    MFT_DATA = 0x80
};

/* An attribute inside a record: its header and what follows. */
struct mft_attr {
    const uint8_t *data;
    size_t len;
};

/* Clusters of a file that lie side by side on the volume. */
struct mft_run {
    uint64_t vcn; /* the first one's number in the file */
    uint64_t lcn; /* the first one's number on the volume, or MFT_HOLE */
    uint64_t count;
};

/* No clusters: a sparse file's zeros. */
#define MFT_HOLE UINT64_MAX

/* The unnamed $DATA of a file, which is not inside its record.  All zero is
 * empty and valid. */
struct mft_data {
    uint16_t flags;       /* compressed, encrypted */
    uint64_t len;         /* bytes of the file */
    uint64_t initialised; /* of these, bytes that were ever written: what is
                             behind reads as zeros, whatever the disk holds */
    struct mft_run *runs; /* by @vcn, from 0 on and without gaps; each run
                             that is no hole is inside the volume */
    size_t count;
};

void mft_data_done(struct mft_data *data);

static inline void
v2v_auto_mft_data(struct mft_data *data)
{
    mft_data_done(data);
}

struct mft_volume {
    const struct disk_reader *disk;
    uint64_t offset; /* bytes from the disk's start */
    uint64_t size;   /* bytes of the file system, at most those of the volume */
    uint32_t cluster_size; /* bytes; a power of two */
    uint32_t record_size;  /* bytes; a power of two, at most MFT_RECORD_MAX */
    uint64_t mft_offset;   /* bytes from the volume's start */
    uint64_t serial;       /* the volume's serial number, 64 bits */
    struct mft_data mft;   /* the MFT is a file of its own */
};

/* Read the boot sector and the MFT's own run list.  @disk must outlive @ret,
 * which mft_volume_done() frees. */
int mft_volume_init(const struct disk_reader *disk, uint64_t offset,
                    uint64_t len, struct mft_volume *ret,
                    struct v2v_error *err);

void mft_volume_done(struct mft_volume *volume);

static inline void
v2v_auto_mft_volume(struct mft_volume *volume)
{
    mft_volume_done(volume);
}

/* @offset: bytes from the volume's start */
int mft_read_volume(const struct mft_volume *volume, uint64_t offset, void *buf,
                    size_t len, struct v2v_error *err);

/* @ret: MFT_RECORD_MAX bytes, of which volume->record_size are written. */
int mft_read_record(const struct mft_volume *volume, uint64_t number,
                    uint8_t *ret, struct v2v_error *err);

/* Whether @record is one of a file that exists, and the file's first. */
int mft_check_base_record(const uint8_t *record, struct v2v_error *err);

/* A reference to a record: its number in the low 48 bits, then the count of
 * its uses, which tells a file from one that had the record before. */
uint64_t mft_reference(uint64_t number, const uint8_t *record);

/* A record that an attribute list refers to; it must be in use, and belong to
 * the file of @base, a reference. */
int mft_read_extension_record(const struct mft_volume *volume, uint64_t base,
                              uint64_t reference, uint8_t *ret,
                              struct v2v_error *err);

/* The unnamed attribute of a type; a record holds at most one. */
bool mft_find_attr(const struct mft_volume *volume, const uint8_t *record,
                   uint32_t type, struct mft_attr *ret);

bool mft_attr_is_resident(const struct mft_attr *attr);

/* The content of an attribute that is inside its record; false for others. */
bool mft_attr_content(const struct mft_attr *attr, const uint8_t **ret,
                      size_t *ret_len);

/**
 * mft_data_load() - the unnamed $DATA of a file
 * @number, @record: the file's base record
 * @enough: bytes from the file's start whose place is asked for.  Extension
 *          records that are not needed for them are not read, so that the
 *          runs may end earlier than the file does; never before @enough,
 *          unless the file does.
 * @data:   all zero before; the caller's to mft_data_done(), also on failure.
 *          It is filled in place since that of the MFT is needed on the way:
 *          each part of its list is in a record that the parts before hold.
 *
 * A $DATA inside the record is V2V_ERR_FORMAT.
 */
int mft_data_load(const struct mft_volume *volume, uint64_t number,
                  const uint8_t *record, uint64_t enough, struct mft_data *data,
                  struct v2v_error *err);

/* Whether the clusters hold something else than the file's bytes. */
bool mft_data_is_compressed(const struct mft_data *data);
bool mft_data_is_encrypted(const struct mft_data *data);

/* Where the file's byte @offset is: @ret from the volume's start, and how many
 * bytes follow it there that follow it in the file, too. */
int mft_data_find(const struct mft_volume *volume, const struct mft_data *data,
                  uint64_t offset, uint64_t *ret, uint64_t *ret_len,
                  struct v2v_error *err);

/* The bytes of the clusters, as they are stored. */
int mft_data_read(const struct mft_volume *volume, const struct mft_data *data,
                  uint64_t offset, void *buf, size_t len,
                  struct v2v_error *err);

/**
 * mft_undo_update_sequence() - make a protected record what it says
 * @record: as the disk has it; changed
 * @len:    a multiple of 512
 *
 * The last two bytes of each sector of a record were moved to an array in its
 * header and a number put in their place, so that a record of which only a
 * part was written is recognised.  Returns: false for such a record.
 *
 * Source: <ntfs-3g/layout.h>, NTFS_RECORD.
 */
bool mft_undo_update_sequence(uint8_t *record, size_t len);

#endif
