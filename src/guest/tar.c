/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { BLOCK = 512 };

/* POSIX, "ustar Interchange Format": text fields in octal, ended by NUL. */
struct header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char chksum[8];
    char typeflag;
    char linkname[100];
    char magic[6];
    char version[2];
    char uname[32];
    char gname[32];
    char devmajor[8];
    char devminor[8];
    char prefix[155];
    char pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static int
put(int fd, const void *data, size_t len, struct v2v_error *err)
{
    if (v2v_fd_write(fd, data, len) < 0)
        return v2v_fail_errno(err, errno, "writing an archive");
    return 0;
}

static int
put_padded(int fd, const void *data, size_t len, struct v2v_error *err)
{
    static const uint8_t zeroes[BLOCK];

    if (put(fd, data, len, err) < 0)
        return -1;
    return put(fd, zeroes, (BLOCK - len % BLOCK) % BLOCK, err);
}

static void
octal(char *field, size_t field_len, uint64_t value)
{
    snprintf(field, field_len, "%0*" PRIo64, (int)field_len - 1, value);
}

/* The sum counts its own field as blanks. */
static void
set_checksum(struct header *h)
{
    const uint8_t *p = (const uint8_t *)h;
    unsigned sum = 0;

    memset(h->chksum, ' ', sizeof h->chksum);
    for (size_t i = 0; i < sizeof *h; i++)
        sum += p[i];
    snprintf(h->chksum, sizeof h->chksum, "%06o", sum);
}

/* The name here is for programs that do not know pax: cut, it does no harm. */
static int
put_header(int fd, const struct tar_member *m, char type, size_t len,
           struct v2v_error *err)
{
    struct header h = { .typeflag = type, .magic = "ustar", .version = "00" };
    size_t name_len = strnlen(m->path, sizeof h.name - 1);

    memcpy(h.name, m->path, name_len);
    octal(h.mode, sizeof h.mode, m->directory ? 0755 : 0644);
    octal(h.uid, sizeof h.uid, 0);
    octal(h.gid, sizeof h.gid, 0);
    octal(h.size, sizeof h.size, len);
    octal(h.mtime, sizeof h.mtime, (uint64_t)m->mtime);
    octal(h.devmajor, sizeof h.devmajor, 0);
    octal(h.devminor, sizeof h.devminor, 0);
    set_checksum(&h);
    return put(fd, &h, sizeof h, err);
}

/* "LENGTH KEY=VALUE\n"; the length counts its own digits. */
static int
add_record(struct v2v_bytes *out, const char *key, const void *value,
           size_t value_len, struct v2v_error *err)
{
    size_t rest = strlen(key) + value_len + 3, len = rest + 1;
    int digits;

    while ((digits = snprintf(NULL, 0, "%zu", len)) > 0 &&
           len != rest + (size_t)digits)
        len = rest + (size_t)digits;
    if (v2v_bytes_printf(out, err, "%zu %s=", len, key) < 0 ||
        v2v_bytes_add(out, value, value_len, err) < 0)
        return -1;
    return v2v_bytes_add(out, "\n", 1, err);
}

int
tar_add(int fd, const struct tar_member *m, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes records = { 0 };
    size_t len = m->directory ? 0 : m->len;

    if (add_record(&records, "path", m->path, strlen(m->path), err) < 0 ||
        (m->sd != NULL && add_record(&records, "SCHILY.xattr.system.ntfs_acl",
                                     m->sd, m->sd_len, err) < 0))
        return -1;
    if (put_header(fd, m, 'x', records.len, err) < 0 ||
        put_padded(fd, records.data, records.len, err) < 0 ||
        put_header(fd, m, m->directory ? '5' : '0', len, err) < 0)
        return -1;
    return put_padded(fd, m->data, len, err);
}

int
tar_end(int fd, struct v2v_error *err)
{
    static const uint8_t zeroes[2 * BLOCK];

    return put(fd, zeroes, sizeof zeroes, err);
}
