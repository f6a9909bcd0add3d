/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/rewind.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/digest.h"
#include "image/header.h"
#include "image/own-file.h"
#include "image/qemu-lock.h"

enum {
    VERSION = 1,
    HEAD_LEN = 24,
    RANGE_LEN = 16,
    STEP = 1 << 20 /* bytes in memory at a time */
};

static const char magic[8] = { 'v', '2', 'v', 'r', 'e', 'w', 'n', 'd' };

struct range {
    uint64_t offset, len; /* bytes of the image file */
};

struct map {
    uint64_t size; /* of the image file */
    size_t count;
    struct range ranges[REWIND_RANGES_MAX];
};

/* What there is to keep --------------------------------------------------- */

static int
refuse(const char *what, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_GUEST, "image-kind",
                      "%s: a commit to it could not be repeated after a crash; "
                      "--output makes a copy",
                      what);
}

/* What is beyond the end of the file goes with the old length. */
static void
add_range(struct map *map, uint64_t offset, uint64_t len)
{
    if (offset >= map->size || len == 0)
        return;
    if (len > map->size - offset)
        len = map->size - offset;
    assert(map->count < REWIND_RANGES_MAX);
    map->ranges[map->count++] = (struct range){ offset, len };
}

/* VDIHEADER1PLUS: QEMU writes the header and whole sectors of the map. */
static int
find_in_vdi(const struct header *header, struct map *map, struct v2v_error *err)
{
    uint64_t offset_bmap = v2v_get_le(header->head + 0x154, 4);
    uint64_t offset_data = v2v_get_le(header->head + 0x158, 4);
    uint64_t blocks = v2v_get_le(header->head + 0x180, 4);

    if (memcmp(header->head + 64, "\x7f\x10\xda\xbe", 4) != 0 ||
        offset_data % 512 != 0 || offset_bmap < IMAGE_HEAD_LEN ||
        offset_bmap + 4 * blocks > offset_data)
        return refuse("the VDI's block map is not between its header and its "
                      "data",
                      err);
    add_range(map, 0, offset_data);
    return 0;
}

/* [MS-VHDX] 2.2.2.  Which of the two headers is the current one needs not be
 * known: the log of either may be kept. */
static int
add_log(const struct header *header, uint64_t at, struct map *map,
        size_t *found, struct v2v_error *err)
{
    uint8_t head[80];

    if (header_read(header->fd, at, head, sizeof head, err) < 0)
        return -1;
    if (memcmp(head, "head", 4) != 0)
        return 0;
    ++*found;
    add_range(map, v2v_get_le(head + 72, 8), v2v_get_le(head + 68, 4));
    return 0;
}

/* [MS-VHDX] 2.2.3: BAT, metadata, and whatever else there may be. */
static int
add_regions(const struct header *header, uint64_t at, struct map *map,
            size_t *found, struct v2v_error *err)
{
    static const uint64_t most = 2047;
    uint8_t head[16], entry[32];
    uint64_t count;

    if (header_read(header->fd, at, head, sizeof head, err) < 0)
        return -1;
    if (memcmp(head, "regi", 4) != 0)
        return 0;
    count = v2v_get_le(head + 8, 4);
    if (count > most)
        return refuse("the VHDX has a damaged region table", err);
    ++*found;
    for (uint64_t i = 0; i < count; i++) {
        if (header_read(header->fd, at + 16 + 32 * i, entry, sizeof entry,
                        err) < 0)
            return -1;
        add_range(map, v2v_get_le(entry + 16, 8), v2v_get_le(entry + 24, 4));
    }
    return 0;
}

static int
find_in_vhdx(const struct header *header, struct map *map,
             struct v2v_error *err)
{
    static const uint64_t headers[] = { 64 << 10, 128 << 10 };
    static const uint64_t tables[] = { 192 << 10, 256 << 10 };
    size_t headers_found = 0, tables_found = 0;

    add_range(map, 0, 1 << 20);
    for (size_t i = 0; i < 2; i++)
        if (add_log(header, headers[i], map, &headers_found, err) < 0 ||
            add_regions(header, tables[i], map, &tables_found, err) < 0)
            return -1;
    if (headers_found == 0 || tables_found == 0)
        return refuse("the VHDX has no header or no region table", err);
    return 0;
}

static int
compare_offsets(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Ascending, and what overlaps or touches becomes one. */
static void
merge_ranges(struct map *map)
{
    size_t count = map->count;

    qsort(map->ranges, count, sizeof *map->ranges, compare_offsets);
    map->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct range *last = &map->ranges[map->count - (map->count > 0)];
        struct range next = map->ranges[i];
        uint64_t end = last->offset + last->len;

        if (map->count == 0 || next.offset > end)
            map->ranges[map->count++] = next;
        else if (next.offset + next.len > end)
            last->len = next.offset + next.len - last->offset;
    }
}

static uint64_t
length_of_ranges(const struct map *map)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < map->count; i++)
        sum += map->ranges[i].len;
    return sum;
}

typedef int find_fn(const struct header *header, struct map *map,
                    struct v2v_error *err);

/* NULL: the format can do without. */
static find_fn *
finder_of(const char *format)
{
    if (strcmp(format, "vdi") == 0)
        return find_in_vdi;
    return strcmp(format, "vhdx") == 0 ? find_in_vhdx : NULL;
}

static int
find_ranges(int fd, find_fn *find, struct map *map, struct v2v_error *err)
{
    struct header header;

    if (header_load(fd, &header, err) < 0)
        return -1;
    map->size = header.size;
    if (find(&header, map, err) < 0)
        return -1;
    merge_ranges(map);
    if (length_of_ranges(map) > REWIND_MAX)
        return refuse("the image's tables are too large", err);
    return 0;
}

/* Saving ------------------------------------------------------------------ */

struct sink {
    int fd;
    struct hasher *hasher;
};

static int
put(const struct sink *sink, const void *data, size_t len,
    struct v2v_error *err)
{
    if (v2v_fd_write(sink->fd, data, len) < 0)
        return v2v_fail_errno(err, errno, "cannot write");
    return hasher_add(sink->hasher, data, len, err);
}

static int
put_head(const struct sink *sink, const struct map *map, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes head = { 0 };

    if (v2v_bytes_add(&head, magic, sizeof magic, err) < 0 ||
        v2v_bytes_add_le(&head, VERSION, 4, err) < 0 ||
        v2v_bytes_add_le(&head, map->count, 4, err) < 0 ||
        v2v_bytes_add_le(&head, map->size, 8, err) < 0)
        return -1;
    for (size_t i = 0; i < map->count; i++)
        if (v2v_bytes_add_le(&head, map->ranges[i].offset, 8, err) < 0 ||
            v2v_bytes_add_le(&head, map->ranges[i].len, 8, err) < 0)
            return -1;
    return put(sink, head.data, head.len, err);
}

static size_t
step_of(uint64_t left)
{
    return left < STEP ? (size_t)left : STEP;
}

static int
put_range(const struct sink *sink, int image, struct range range, void *buf,
          struct v2v_error *err)
{
    while (range.len > 0) {
        size_t len = step_of(range.len);

        if (header_read(image, range.offset, buf, len, err) < 0 ||
            put(sink, buf, len, err) < 0)
            return -1;
        range.offset += len;
        range.len -= len;
    }
    return 0;
}

static int
put_all(int fd, int image, const struct map *map, struct v2v_error *err)
{
    V2V_AUTO(hasher) struct hasher *hasher = NULL;
    V2V_AUTO(mem) void *buf = malloc(STEP);
    struct sink sink = { .fd = fd };
    struct digest digest;

    if (buf == NULL)
        return v2v_fail_errno(err, errno, "no memory");
    if (hasher_new(&hasher, err) < 0)
        return -1;
    sink.hasher = hasher;
    if (put_head(&sink, map, err) < 0)
        return -1;
    for (size_t i = 0; i < map->count; i++)
        if (put_range(&sink, image, map->ranges[i], buf, err) < 0)
            return -1;
    if (hasher_end(hasher, &digest, err) < 0)
        return -1;
    if (v2v_fd_write(fd, digest.bytes, DIGEST_LEN) < 0 || fsync(fd) < 0)
        return v2v_fail_errno(err, errno, "cannot write");
    return 0;
}

static int
save_ranges(int image, const struct map *map, const char *path,
            struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = -1;

    if (own_file_open(path, O_WRONLY | O_CREAT | O_EXCL, &fd, err) < 0)
        return -1;
    if (put_all(fd, image, map, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return v2v_sync_directory_of(path, err);
}

/* The file of another image that once had this name must not be put back into
 * this one, after a crash either. */
static int
delete_stray(const char *path, struct v2v_error *err)
{
    if (!own_file_exists(path))
        return 0;
    return own_file_delete(path, err) < 0 ? -1
                                          : v2v_sync_directory_of(path, err);
}

bool
rewind_is_needed(const char *format)
{
    return finder_of(format) != NULL;
}

int
rewind_save(const char *image, const char *format, const char *path,
            struct v2v_error *err)
{
    V2V_AUTO(mem) struct map *map = NULL;
    V2V_AUTO(fd) int fd = -1;
    find_fn *find = finder_of(format);

    if (delete_stray(path, err) < 0)
        return -1;
    if (find == NULL)
        return 0;
    map = calloc(1, sizeof *map);
    fd = open(image, O_RDONLY | O_CLOEXEC);
    if (map == NULL || fd < 0)
        return v2v_fail_errno(err, errno, "%s", image);
    if (find_ranges(fd, find, map, err) < 0)
        return v2v_fail_in(err, "%s", image);
    return save_ranges(fd, map, path, err);
}

/* Restoring --------------------------------------------------------------- */

static bool
decode_ranges(const uint8_t *at, struct map *map)
{
    uint64_t end = 0;

    for (size_t i = 0; i < map->count; i++, at += RANGE_LEN) {
        struct range range = { v2v_get_le(at, 8), v2v_get_le(at + 8, 8) };

        if (range.len == 0 || range.offset > map->size ||
            range.len > map->size - range.offset ||
            (i > 0 && range.offset <= end))
            return false;
        end = range.offset + range.len;
        map->ranges[i] = range;
    }
    return true;
}

/* The digest, before anything is believed. */
static int
check_digest(int fd, uint64_t size, bool *same, struct v2v_error *err)
{
    V2V_AUTO(hasher) struct hasher *hasher = NULL;
    V2V_AUTO(mem) uint8_t *buf = malloc(STEP);
    struct digest digest, written;
    uint64_t at = 0;

    if (buf == NULL)
        return v2v_fail_errno(err, errno, "no memory");
    if (hasher_new(&hasher, err) < 0)
        return -1;
    for (size_t len; (len = step_of(size - DIGEST_LEN - at)) > 0; at += len)
        if (header_read(fd, at, buf, len, err) < 0 ||
            hasher_add(hasher, buf, len, err) < 0)
            return -1;
    if (hasher_end(hasher, &digest, err) < 0 ||
        header_read(fd, at, written.bytes, DIGEST_LEN, err) < 0)
        return -1;
    *same = digest_equal(&digest, &written);
    return 0;
}

/* @ok: it is as rewind.h says */
static int
decode(int fd, struct map *map, bool *ok, struct v2v_error *err)
{
    static const uint64_t most =
        HEAD_LEN + RANGE_LEN * REWIND_RANGES_MAX + REWIND_MAX + DIGEST_LEN;
    V2V_AUTO(mem) uint8_t *ranges = calloc(REWIND_RANGES_MAX, RANGE_LEN);
    off_t size = lseek(fd, 0, SEEK_END);
    uint8_t head[HEAD_LEN];

    if (ranges == NULL || size < 0)
        return v2v_fail_errno(err, errno, "cannot read");
    *ok = size > HEAD_LEN + DIGEST_LEN && (uint64_t)size <= most;
    if (!*ok)
        return 0;
    if (check_digest(fd, (uint64_t)size, ok, err) < 0 ||
        header_read(fd, 0, head, sizeof head, err) < 0)
        return -1;
    map->count = v2v_get_le(head + 12, 4);
    map->size = v2v_get_le(head + 16, 8);
    *ok = *ok && memcmp(head, magic, sizeof magic) == 0 &&
          v2v_get_le(head + 8, 4) == VERSION && map->count > 0 &&
          map->count <= REWIND_RANGES_MAX;
    if (!*ok)
        return 0;
    if (header_read(fd, HEAD_LEN, ranges, RANGE_LEN * map->count, err) < 0)
        return -1;
    *ok = decode_ranges(ranges, map) &&
          (uint64_t)size == HEAD_LEN + RANGE_LEN * map->count +
                                length_of_ranges(map) + DIGEST_LEN;
    return 0;
}

static int
load(int fd, struct map *map, struct v2v_error *err)
{
    bool ok;

    if (decode(fd, map, &ok, err) < 0)
        return -1;
    if (!ok)
        return v2v_refuse(
            err, V2V_ERR_GUEST, "commit-lost",
            "damaged, or written by another version of this "
            "program: the image may be half written and cannot be "
            "finished");
    return 0;
}

/* QEMU fails to get any of its locks as long as we have all for writing, and
 * the other way round. */
static int
open_alone(const char *image, uint64_t size, int *ret, struct v2v_error *err)
{
    struct flock all = { .l_type = F_WRLCK,
                         .l_start = QEMU_LOCK_FIRST,
                         .l_len = QEMU_LOCK_LEN };
    V2V_AUTO(fd) int fd = open(image, O_RDWR | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return v2v_fail_errno(err, errno, "cannot open");
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < size)
        return v2v_refuse(err, V2V_ERR_GUEST, "commit-stale",
                          "not the file to which a commit was begun: it is "
                          "shorter, or no regular file");
    if (fcntl(fd, F_OFD_SETLK, &all) < 0)
        return errno == EAGAIN || errno == EACCES
                   ? v2v_refuse(err, V2V_ERR_BUSY, "image-in-use",
                                "in use by a virtual machine or a QEMU tool")
                   : v2v_fail_errno(err, errno, "cannot lock");
    *ret = fd;
    fd = -1;
    return 0;
}

static int
copy_back(int image, int fd, uint64_t at, struct range range, void *buf,
          struct v2v_error *err)
{
    if (lseek(image, (off_t)range.offset, SEEK_SET) < 0)
        return v2v_fail_errno(err, errno, "cannot seek");
    for (size_t len; (len = step_of(range.len)) > 0; range.len -= len) {
        if (header_read(fd, at, buf, len, err) < 0)
            return -1;
        if (v2v_fd_write(image, buf, len) < 0)
            return v2v_fail_errno(err, errno, "cannot write");
        at += len;
    }
    return 0;
}

static int
restore(int image, int fd, const struct map *map, struct v2v_error *err)
{
    uint64_t at = HEAD_LEN + RANGE_LEN * map->count;
    V2V_AUTO(mem) void *buf = malloc(STEP);

    if (buf == NULL)
        return v2v_fail_errno(err, errno, "no memory");
    for (size_t i = 0; i < map->count; i++) {
        if (copy_back(image, fd, at, map->ranges[i], buf, err) < 0)
            return -1;
        at += map->ranges[i].len;
    }
    if (ftruncate(image, (off_t)map->size) < 0 || fsync(image) < 0)
        return v2v_fail_errno(err, errno, "cannot write");
    return 0;
}

int
rewind_restore(const char *image, const char *path, struct v2v_error *err)
{
    V2V_AUTO(mem) struct map *map = NULL;
    V2V_AUTO(fd) int fd = -1, image_fd = -1;

    if (!own_file_exists(path))
        return 0;
    map = calloc(1, sizeof *map);
    if (map == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (own_file_open(path, O_RDONLY, &fd, err) < 0)
        return -1;
    if (load(fd, map, err) < 0)
        return v2v_fail_in(err, "%s", path);
    if (open_alone(image, map->size, &image_fd, err) < 0 ||
        restore(image_fd, fd, map, err) < 0)
        return v2v_fail_in(err, "%s", image);
    return 0;
}
