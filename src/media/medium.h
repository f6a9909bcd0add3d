/* SPDX-License-Identifier: GPL-2.0-or-later */
/* media/medium.h - what media.c shares with the kinds of media only */
#ifndef V2V_MEDIA_MEDIUM_H
#define V2V_MEDIA_MEDIUM_H

#include <stdbool.h>
#include <sys/types.h>

#include "media/media.h"

struct media_entry {
    struct media_file file; /* file.path is @path */
    char *path;
    char *link;     /* path of the entry that has the content, or NULL */
    size_t ordinal; /* of the entry that has the content, as listed */
};

/* Names that are not listed; one warning each kind, not one a name. */
struct media_left_out {
    size_t count;
    char first[128];
};

/* A file to load.  Those of one load come in the order of their ordinals,
 * each once. */
struct media_wish {
    size_t ordinal;
    const char *stored; /* path of the entry that has the content */
    uint64_t size;
    struct v2v_bytes *ret; /* empty */
};

struct media_kind {
    /* calls media_add() for each regular file */
    int (*list)(struct media *m, struct v2v_error *err);
    int (*load)(struct media *m, const struct media_wish *wishes, size_t count,
                struct v2v_error *err);
};

struct media {
    char *name;
    int fd;
    const struct media_kind *kind;
    struct media_entry *entries;
    size_t count;
    size_t cap;
    struct media_left_out unsafe;
    struct media_left_out symlinks;
};

extern const struct media_kind media_iso;
extern const struct media_kind media_folder;
extern const struct media_kind media_floppy;

/* Has the file the boot sector of a floppy?  @size: bytes, from fstat(). */
bool media_is_floppy(int fd, off_t size);

/* Add a file to the list, or leave it out when its path is unsafe.
 * @link: NULL, or the path of the entry that has the content.
 * -1 with V2V_ERR_FORMAT over a limit. */
int media_add(struct media *m, const char *path, uint64_t size, size_t ordinal,
              const char *link, struct v2v_error *err);

void media_leave_out(struct media_left_out *what, const char *path);

#endif
