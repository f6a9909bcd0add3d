/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/fat.h - the directories and files of a FAT volume, to be read: a floppy
 * image, an EFI system partition
 *
 * FAT12, FAT16 and FAT32, with long names.  Nothing is written.
 *
 * The bytes are hostile.  No chain of clusters is followed for longer than the
 * volume has clusters, and no directory beyond what FAT allows; who walks a
 * tree of directories bounds depth and number.
 *
 * Errors: V2V_ERR_FORMAT for what is damaged, V2V_ERR_INTERNAL (no memory), or
 * what the disk's read returned.
 *
 * Source: Microsoft, "FAT: General Overview of On-Disk Format", 1.03.
 */
#ifndef V2V_DISK_FAT_H
#define V2V_DISK_FAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "disk/probe.h"

enum { FAT_BOOT_SECTOR = 512 };

/* Clusters count from 2. */
enum { FAT_FIRST_CLUSTER = 2 };

/* The part of the volume that was read last: its tables and directories are
 * asked for in small pieces. */
struct fat_window {
    uint64_t at; /* bytes from the volume's start */
    size_t len;
    uint8_t data[4096];
};

struct fat {
    struct disk_reader disk;
    uint64_t offset;         /* of the volume on the disk; bytes from here on */
    uint64_t len;            /* of the volume */
    unsigned bits;           /* of an entry of the table: 12, 16, 32 */
    uint64_t table;          /* from the volume's start, as are: */
    uint64_t root, root_end; /* of a root directory that has a place of its own;
                              * 0: it is a chain */
    uint64_t first_cluster;
    uint32_t root_cluster; /* FAT32: of the root directory; else 0 */
    uint32_t cluster_size; /* bytes */
    uint32_t cluster_count;
    struct fat_window chains, entries;
};

/* A file or directory. */
struct fat_entry {
    char *name;          /* UTF-8: the long name, or the short one */
    char short_name[13]; /* ASCII, other characters are '_' */
    bool is_directory;
    uint32_t cluster; /* the first; 0: the root directory, or no content */
    uint32_t size;    /* bytes; 0 for a directory */
    uint64_t place;   /* of the directory entry: bytes in the volume */
};

/* A position in a directory. */
struct fat_cursor {
    uint32_t cluster; /* 0: a root directory with a place of its own */
    uint64_t at, end; /* bytes in the volume */
    uint32_t steps;   /* clusters that were passed */
    uint32_t count;   /* entries that were */
};

/* Is it a FAT boot sector?  @sector: FAT_BOOT_SECTOR bytes */
bool fat_is_boot_sector(const uint8_t *sector);

/* @offset, @len: the volume, bytes.  @ret is large, and nothing in it is to be
 * freed; @disk's opaque must outlive it. */
int fat_open(const struct disk_reader *disk, uint64_t offset, uint64_t len,
             struct fat *ret, struct v2v_error *err);

/* ---- by paths: as struct guest_backend wants it (guest/backend.h) ---- */

/* One name in the directory @dir, without regard to case (ASCII's, as for
 * names that Windows itself gives), long or short; @ret_name: as it is spelled
 * there, or as asked for; new.  Returns: 1, or 0 when it is absent. */
int fat_lookup(struct fat *fat, const char *dir, const char *name,
               char **ret_name, struct fat_entry *ret, struct v2v_error *err);

/* Appends the names in @dir; more than @max is V2V_ERR_GUEST. */
int fat_list(struct fat *fat, const char *dir, size_t max,
             struct v2v_strings *ret, struct v2v_error *err);

/* Appends @len bytes from @offset, or what there is of them. */
int fat_read(struct fat *fat, const char *path, uint64_t offset, size_t len,
             struct v2v_bytes *ret, struct v2v_error *err);

/* ---- by entries ---- */

/* The start of a directory; @cluster from its entry, 0 the root. */
int fat_directory(const struct fat *fat, uint32_t cluster,
                  struct fat_cursor *ret, struct v2v_error *err);

/* The next entry that is neither deleted, a volume label, "." nor "..".
 * @ret: name is new.
 * Returns: 1, 0 at the end, or -1. */
int fat_next(struct fat *fat, struct fat_cursor *cursor, struct fat_entry *ret,
             struct v2v_error *err);

/* Appends @len bytes, or what there is of them, from @offset of the file whose
 * directory entry is at @place.  V2V_ERR_FORMAT when its chain ends before its
 * size, or @place is outside the volume. */
int fat_read_entry(struct fat *fat, uint64_t place, uint64_t offset, size_t len,
                   struct v2v_bytes *ret, struct v2v_error *err);

#endif
