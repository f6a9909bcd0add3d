/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * media/media.h - a virtio-win medium as a list of files
 *
 * A medium is an ISO image (Rock Ridge, Joliet or plain names; of a bridge to
 * UDF what ISO 9660 has), a floppy image (FAT12), or a folder.  It is only
 * read.  Nothing here knows what a driver is; no other archive is opened, and
 * nothing is unpacked to disk.
 *
 * A medium is hostile input.  What is listed is a relative path whose parts
 * are neither empty, "." nor "..", without NUL, control characters, '\' and
 * ':'; anything else on the medium is left out with a warning
 * ("media-unsafe-name").  Symbolic links on a medium are left out, too; the
 * medium itself may be named by one.
 */
#ifndef V2V_MEDIA_MEDIA_H
#define V2V_MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/error.h"

/* More than these and the medium is refused.  virt-v2v's list of a RHEL
 * virtio-win ISO has 1129 files, the longest path is 49 bytes. */
#define MEDIA_MAX_ENTRIES 65536
#define MEDIA_MAX_PATH 1024                  /* bytes, without the NUL */
#define MEDIA_MAX_DEPTH 16                   /* parts of a path */
#define MEDIA_MAX_FILE ((uint64_t)256 << 20) /* bytes, one file loaded */
#define MEDIA_MAX_LOAD ((uint64_t)512 << 20) /* bytes, one media_load() */

struct media;

struct media_file {
    const char *path; /* relative, '/' between parts, case as on the medium;
                       * bytes as on the medium, not always UTF-8 */
    uint64_t size;    /* bytes */
};

/**
 * media_open() - list a medium
 * @path: an ISO or floppy image or a folder; symbolic links in it are followed
 * @ret:  new; media_close() frees it
 *
 * Reads directories and no content, so the size of an ISO does not matter.
 * The image stays open: a rename does not change what is read later.
 *
 * Returns: 0, or -1 with
 *   V2V_ERR_USAGE   @path is missing, unreadable, or neither file nor folder
 *   V2V_ERR_FORMAT  neither an ISO nor a floppy image; damaged; shorter than
 *                   its own volume size says (ECMA-119 8.4.8: an unfinished
 *                   download); over one of the limits above
 * The text starts with @path.
 */
int media_open(const char *path, struct media **ret, struct v2v_error *err);

/* Accepts NULL. */
void media_close(struct media *m);

V2V_AUTO_DEFINE(media, struct media *, media_close)

/* The path as it was given to media_open(). */
const char *media_name(const struct media *m);

/* The files, sorted by path without regard to ASCII case.  What media_at()
 * returns lives as long as @m; @i must be below media_count(). */
size_t media_count(const struct media *m);
const struct media_file *media_at(const struct media *m, size_t i);

/* The index of the first file whose path, without regard to ASCII case, is not
 * before @path; media_count() when there is none.  The files of a folder and
 * of those in it begin there for "FOLDER/". */
size_t media_lower_bound(const struct media *m, const char *path);

/**
 * media_is_short_for() - may @name be what plain ISO 9660 made of @wanted?
 * @name, @wanted: a file's or folder's name, without '/'
 *
 * True for the same name without regard to ASCII case, too.  Else what is not
 * a letter, digit or '_' has become '_' (the '.' before the extension has
 * not), the extension has at most three characters, and what stands before it
 * is cut to 8 or more characters (ISO 9660 level 1, or 2 and 3 with 31), or is
 * 1 to 6 characters and "~N" (VFAT), or 5 characters and 3 digits
 * (genisoimage, for names that would be the same).
 * Source: ECMA-119 7.5 and 10.1; Microsoft, "FAT: General Overview"; seen in
 * images by genisoimage 1.1.11.
 */
bool media_is_short_for(const char *name, const char *wanted);

/**
 * media_load() - the content of some files, all in one pass over the medium
 * @indexes: as for media_at(), in any order, repeats allowed
 * @ret:     @count elements, [i] for indexes[i]; written only on success;
 *           the caller frees each with v2v_bytes_done()
 *
 * Returns: 0, or -1 with
 *   V2V_ERR_FORMAT    damaged, cut short, or a limit above is exceeded
 *   V2V_ERR_INTERNAL  the medium changed since it was opened, or memory
 * The text starts with the medium's name and the file's path.
 */
int media_load(struct media *m, const size_t *indexes, size_t count,
               struct v2v_bytes *ret, struct v2v_error *err);

#endif
