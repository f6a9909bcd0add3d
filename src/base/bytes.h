/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * base/bytes.h - a counted run of bytes in memory, and whole files as such
 *
 * A struct v2v_bytes that is all zero is empty and valid.  Its @data is
 * malloc'ed and owned by the struct; v2v_bytes_done() frees it.
 */
#ifndef V2V_BASE_BYTES_H
#define V2V_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct v2v_bytes {
    uint8_t *data;
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated */
};

void v2v_bytes_done(struct v2v_bytes *b);

/* Nothing but zeroes, or nothing at all? */
bool v2v_is_zero(const uint8_t *data, size_t len);

static inline void
v2v_auto_bytes(struct v2v_bytes *b)
{
    v2v_bytes_done(b);
}

/* @len bytes, the least significant first, as Windows stores numbers. */
static inline void
v2v_put_le(uint8_t *out, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static inline uint64_t
v2v_get_le(const uint8_t *in, size_t len)
{
    uint64_t value = 0;

    for (size_t i = len; i-- > 0;)
        value = value << 8 | in[i];
    return value;
}

/* Have room for @len bytes more.  -1 as below. */
int v2v_bytes_reserve(struct v2v_bytes *b, size_t len, struct v2v_error *err);

/* Append @len bytes; -1 with V2V_ERR_INTERNAL when memory runs out. */
int v2v_bytes_add(struct v2v_bytes *b, const void *data, size_t len,
                  struct v2v_error *err);

/* Append a number in that form, @len bytes of it. */
int v2v_bytes_add_le(struct v2v_bytes *b, uint64_t value, size_t len,
                     struct v2v_error *err);

/* Append the text of a format, without its NUL. */
int v2v_bytes_printf(struct v2v_bytes *b, struct v2v_error *err,
                     const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, as one more of "a, b, c". */
int v2v_bytes_list(struct v2v_bytes *b, struct v2v_error *err, const char *fmt,
                   ...) __attribute__((format(printf, 3, 4)));

/* A copy of @len bytes at @data. */
int v2v_bytes_copy(const void *data, size_t len, struct v2v_bytes *ret,
                   struct v2v_error *err);

/**
 * v2v_file_read() - a whole regular file into memory
 * @max: V2V_ERR_FORMAT when the file is larger
 *
 * A missing or unreadable file, or one that is not a regular file, is
 * V2V_ERR_USAGE: it was named on a command line.  The text names @path.
 */
int v2v_file_read(const char *path, size_t max, struct v2v_bytes *ret,
                  struct v2v_error *err);

/* The same of what is read from @fd, up to its end; the text names no file. */
int v2v_fd_read(int fd, size_t max, struct v2v_bytes *ret,
                struct v2v_error *err);

/**
 * v2v_file_replace() - write a file so that it is whole or as it was
 *
 * Writes @path with V2V_NEW_SUFFIX, flushes it to the disk, renames it and
 * flushes the directory.  The name is a fixed one so that what a run that was
 * killed has left is taken over by the next.  An existing file keeps its
 * permissions.
 */
#define V2V_NEW_SUFFIX ".v2v-new"
int v2v_file_replace(const char *path, const void *data, size_t len,
                     struct v2v_error *err);

/* The same; but others may do no more with it than with the file @like, from
 * which it was made and whose secrets it may have; NULL: nothing. */
int v2v_file_replace_like(const char *path, const char *like, const void *data,
                          size_t len, struct v2v_error *err);

/* The same of what @write writes to @fd, piece by piece. */
int v2v_file_replace_by(const char *path,
                        int (*write)(int fd, void *opaque,
                                     struct v2v_error *err),
                        void *opaque, struct v2v_error *err);

/* The same for a file that only this user may read, also if it is new. */
int v2v_file_replace_private(const char *path, const void *data, size_t len,
                             struct v2v_error *err);

/* All of @data to a descriptor; -1 and errno. */
int v2v_fd_write(int fd, const void *data, size_t len);

/* What anybody wrote into a file is on the disk afterwards; V2V_ERR_INTERNAL.
 */
int v2v_file_flush(const char *path, struct v2v_error *err);

/* A name made, renamed or deleted is on the disk only when its directory is:
 * flushes the one that @path lies in.  V2V_ERR_INTERNAL. */
int v2v_sync_directory_of(const char *path, struct v2v_error *err);

#endif
