/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

void
v2v_bytes_done(struct v2v_bytes *b)
{
    free(b->data);
    *b = (struct v2v_bytes){ 0 };
}

bool
v2v_is_zero(const uint8_t *data, size_t len)
{
    return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

int
v2v_bytes_reserve(struct v2v_bytes *b, size_t len, struct v2v_error *err)
{
    size_t cap = b->cap + b->cap / 2;
    uint8_t *p;

    if (len > SIZE_MAX / 2 - b->len)
        return v2v_fail_errno(err, ENOMEM, "%zu bytes", len);
    if (b->len + len <= b->cap)
        return 0;
    if (cap < b->len + len)
        cap = b->len + len;
    if (cap < 256)
        cap = 256;
    p = realloc(b->data, cap);
    if (p == NULL)
        return v2v_fail_errno(err, errno, "%zu bytes", cap);
    b->data = p;
    b->cap = cap;
    return 0;
}

int
v2v_bytes_add(struct v2v_bytes *b, const void *data, size_t len,
              struct v2v_error *err)
{
    if (v2v_bytes_reserve(b, len, err) < 0)
        return -1;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    return 0;
}

int
v2v_bytes_add_le(struct v2v_bytes *b, uint64_t value, size_t len,
                 struct v2v_error *err)
{
    uint8_t le[8];

    v2v_put_le(le, value, len);
    return v2v_bytes_add(b, le, len, err);
}

static int add_text(struct v2v_bytes *b, struct v2v_error *err, const char *fmt,
                    va_list ap) __attribute__((format(printf, 3, 0)));

static int
add_text(struct v2v_bytes *b, struct v2v_error *err, const char *fmt,
         va_list ap)
{
    V2V_AUTO(mem) char *text = NULL;
    int n = vasprintf(&text, fmt, ap);

    if (n < 0) {
        text = NULL; /* vasprintf leaves it undefined */
        return v2v_fail_errno(err, ENOMEM, "formatting text");
    }
    return v2v_bytes_add(b, text, (size_t)n, err);
}

int
v2v_bytes_printf(struct v2v_bytes *b, struct v2v_error *err, const char *fmt,
                 ...)
{
    va_list ap;
    int result;

    va_start(ap, fmt);
    result = add_text(b, err, fmt, ap);
    va_end(ap);
    return result;
}

int
v2v_bytes_list(struct v2v_bytes *b, struct v2v_error *err, const char *fmt, ...)
{
    va_list ap;
    int result = b->len > 0 ? v2v_bytes_add(b, ", ", 2, err) : 0;

    va_start(ap, fmt);
    if (result == 0)
        result = add_text(b, err, fmt, ap);
    va_end(ap);
    return result;
}

int
v2v_bytes_copy(const void *data, size_t len, struct v2v_bytes *ret,
               struct v2v_error *err)
{
    struct v2v_bytes b = { 0 };

    if (v2v_bytes_add(&b, data, len, err) < 0)
        return -1;
    *ret = b;
    return 0;
}

/* The file may grow or shrink while it is read: what counts is what read()
 * returns, never st_size. */
int
v2v_fd_read(int fd, size_t max, struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes b = { 0 };
    static const size_t step = 1 << 16;
    V2V_AUTO(mem) uint8_t *buf = malloc(step);

    if (buf == NULL)
        return v2v_fail_errno(err, errno, "read buffer");
    for (;;) {
        ssize_t n = read(fd, buf, step);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return v2v_fail_errno(err, errno, "cannot read");
        if (n == 0)
            break;
        if ((size_t)n > max - b.len)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "larger than the limit of %zu bytes", max);
        if (v2v_bytes_add(&b, buf, (size_t)n, err) < 0)
            return -1;
    }
    *ret = b;
    b = (struct v2v_bytes){ 0 };
    return 0;
}

int
v2v_file_read(const char *path, size_t max, struct v2v_bytes *ret,
              struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return v2v_fail(err, V2V_ERR_USAGE, "%s: not a regular file", path);
    if (v2v_fd_read(fd, max, ret, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}

int
v2v_fd_write(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

int
v2v_sync_directory_of(const char *path, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = strdup(path);
    V2V_AUTO(fd) int fd = -1;

    if (copy != NULL)
        fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: a file system that keeps no directories on a disk */
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
        return v2v_fail_errno(err, errno, "%s: flushing its directory", path);
    return 0;
}

int
v2v_file_flush(const char *path, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return v2v_fail_errno(err, errno, "flushing %s", path);
    return 0;
}

typedef int write_fn(int fd, void *opaque, struct v2v_error *err);

static int
write_bytes(int fd, void *opaque, struct v2v_error *err)
{
    const struct v2v_bytes *bytes = opaque;

    return v2v_fd_write(fd, bytes->data, bytes->len) < 0
               ? v2v_fail_errno(err, errno, "cannot write")
               : 0;
}

static int
write_and_rename(const char *path, const char *new, mode_t mode,
                 write_fn *write, void *opaque, struct v2v_error *err)
{
    V2V_AUTO(fd)
    int fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || fchmod(fd, mode) < 0)
        return v2v_fail_errno(err, errno, "%s", new);
    if (write(fd, opaque, err) < 0)
        return v2v_fail_in(err, "%s", path);
    if (fsync(fd) < 0 || rename(new, path) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    return 0;
}

static int
write_new(const char *path, mode_t mode, write_fn *write, void *opaque,
          struct v2v_error *err)
{
    V2V_AUTO(mem) char *new = v2v_format(err, "%s" V2V_NEW_SUFFIX, path);

    if (new == NULL)
        return -1;
    unlink(new);
    if (write_and_rename(path, new, mode, write, opaque, err) < 0) {
        unlink(new);
        return -1;
    }
    return v2v_sync_directory_of(path, err);
}

static mode_t
mode_of(const char *path, mode_t otherwise)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_mode & 07777 : otherwise;
}

static mode_t
mode_like(const char *path, const char *like)
{
    mode_t mask = umask(0);
    mode_t mode = mode_of(path, 0666 & ~mask);
    mode_t allowed = like != NULL ? mode_of(like, mode) : 0;

    umask(mask);
    return mode & (allowed | S_IRWXU);
}

int
v2v_file_replace_like(const char *path, const char *like, const void *data,
                      size_t len, struct v2v_error *err)
{
    struct v2v_bytes bytes = { .data = (uint8_t *)data, .len = len };

    return write_new(path, mode_like(path, like), write_bytes, &bytes, err);
}

int
v2v_file_replace(const char *path, const void *data, size_t len,
                 struct v2v_error *err)
{
    return v2v_file_replace_like(path, path, data, len, err);
}

int
v2v_file_replace_by(const char *path, write_fn *write, void *opaque,
                    struct v2v_error *err)
{
    return write_new(path, mode_like(path, path), write, opaque, err);
}

int
v2v_file_replace_private(const char *path, const void *data, size_t len,
                         struct v2v_error *err)
{
    struct v2v_bytes bytes = { .data = (uint8_t *)data, .len = len };

    return write_new(path, 0600, write_bytes, &bytes, err);
}
