/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * media/fat.h - a FAT12 floppy in memory: its directories and files
 *
 * Pure: bytes in, values out.  Only what floppies have: one FAT12 volume from
 * the first sector on, long names.  Nothing is written.
 *
 * The bytes are hostile.  No chain of clusters is followed for longer than
 * the volume has clusters; whoever walks directories bounds depth and number.
 *
 * Source: Microsoft, "FAT: General Overview of On-Disk Format", 1.03.
 */
#ifndef V2V_MEDIA_FAT_H
#define V2V_MEDIA_FAT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

/* bytes: twice the largest floppy that was made, 2.88 MB */
enum { FAT_MAX_SIZE = 6 << 20, FAT_BOOT_SECTOR = 512 };

/* Clusters count from 2.  More than these is FAT16. */
enum { FAT_FIRST_CLUSTER = 2, FAT_MAX_CLUSTERS = 4084 };

struct fat {
    const uint8_t *data;         /* the caller's; must outlive this */
    size_t len;                  /* bytes of the volume */
    size_t root, root_end;       /* of the root directory: bytes in @data */
    size_t table, first_cluster; /* bytes in @data */
    size_t cluster_size;         /* bytes */
    unsigned cluster_count;
};

/* A file or directory. */
struct fat_entry {
    char *name; /* UTF-8: the long name, or the short one; a short one is
                 * ASCII, other characters in it are '_' */
    bool is_directory;
    unsigned cluster; /* the first; 0: the root directory, or no content */
    uint32_t size;    /* bytes; 0 for a directory */
    size_t place;     /* of the directory entry: bytes in the volume */
};

/* A position in a directory. */
struct fat_cursor {
    unsigned cluster; /* 0: the root directory */
    size_t at, end;   /* bytes in the volume */
    unsigned steps;   /* clusters that were passed */
};

/* Is it a FAT12 boot sector?  @sector: FAT_BOOT_SECTOR bytes */
bool fat_is_boot_sector(const uint8_t *sector);

/* -1 with V2V_ERR_FORMAT: not FAT12, or it does not fit in @len bytes. */
int fat_open(const uint8_t *data, size_t len, struct fat *ret,
             struct v2v_error *err);

/* The start of a directory; @cluster from its entry. */
int fat_directory(const struct fat *fat, unsigned cluster,
                  struct fat_cursor *ret, struct v2v_error *err);

/* The next entry that is neither deleted, a volume label, "." nor "..".
 * @ret: name is new.
 * Returns: 1, 0 at the end, or -1 with V2V_ERR_FORMAT. */
int fat_next(const struct fat *fat, struct fat_cursor *cursor,
             struct fat_entry *ret, struct v2v_error *err);

/* Appends the content of the file whose directory entry is at @place.
 * -1 with V2V_ERR_FORMAT when its chain ends before its size, or @place is
 * outside the volume. */
int fat_read(const struct fat *fat, size_t place, struct v2v_bytes *ret,
             struct v2v_error *err);

#endif
