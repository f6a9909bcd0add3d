/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A partition as the library's device.  It sees no byte outside; whole sectors
 * are read and written; and after the first failure none is. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "ntfs/internal.h"

/* Bytes of one transfer at most. */
enum { TRANSFER_MAX = 1 << 20 };

/* What of @len bytes at @at can be done at once: whole sectors, or a part of
 * one, which then goes through a buffer. */
static size_t
piece_of(const struct device *device, uint64_t at, size_t len, bool *whole)
{
    size_t sector = device->disk.sector_size;
    size_t skip = (size_t)((device->offset + at) % sector);

    *whole = skip == 0 && len >= sector;
    if (!*whole)
        return len < sector - skip ? len : sector - skip;
    len -= len % sector;
    return len < TRANSFER_MAX ? len : TRANSFER_MAX;
}

/* The sector that holds the byte @at, and how many bytes of it precede that;
 * the disk may end in part of a sector. */
static int
read_sector(struct device *device, uint64_t at, uint8_t *sector, size_t *skip,
            size_t *len)
{
    const struct ntfs_disk *disk = &device->disk;
    uint64_t place = device->offset + at;
    uint64_t start = place - place % disk->sector_size;

    *skip = (size_t)(place - start);
    *len = disk->size - start < disk->sector_size ? (size_t)(disk->size - start)
                                                  : disk->sector_size;
    return disk->read(disk->opaque, start, sector, *len, &device->broken);
}

static int
read_piece(struct device *device, uint64_t at, uint8_t *buf, size_t len,
           bool whole)
{
    const struct ntfs_disk *disk = &device->disk;
    uint8_t sector[SECTOR_MAX];
    size_t skip, n;

    if (whole)
        return disk->read(disk->opaque, device->offset + at, buf, len,
                          &device->broken);
    if (read_sector(device, at, sector, &skip, &n) < 0)
        return -1;
    memcpy(buf, sector + skip, len);
    return 0;
}

static int
write_piece(struct device *device, uint64_t at, const uint8_t *buf, size_t len,
            bool whole)
{
    const struct ntfs_disk *disk = &device->disk;
    uint8_t sector[SECTOR_MAX];
    size_t skip, n;

    if (whole)
        return disk->write(disk->opaque, device->offset + at, buf, len,
                           &device->broken);
    if (read_sector(device, at, sector, &skip, &n) < 0)
        return -1;
    memcpy(sector + skip, buf, len);
    return disk->write(disk->opaque, device->offset + at - skip, sector, n,
                       &device->broken);
}

static bool
is_inside(const struct device *device, uint64_t at, uint64_t len)
{
    return at <= device->len && len <= device->len - at;
}

static int
fail(void)
{
    errno = EIO;
    return -1;
}

static int
read_disk(struct device *device, uint64_t at, uint8_t *to, size_t len)
{
    bool whole;

    for (size_t n; len > 0; to += n, at += n, len -= n) {
        n = piece_of(device, at, len, &whole);
        if (read_piece(device, at, to, n, whole) < 0)
            return -1;
    }
    return 0;
}

/* A page of the partition, whose last one may be shorter. */
static const uint8_t *
read_page(struct device *device, uint64_t page)
{
    const uint8_t *found = cache_find(device->cache, page);
    uint64_t at = page * CACHE_PAGE, left = device->len - at;
    uint8_t *place;

    if (found != NULL)
        return found;
    place = cache_place(device->cache, page);
    if (read_disk(device, at, place,
                  left < CACHE_PAGE ? (size_t)left : CACHE_PAGE) < 0)
        return NULL;
    cache_keep(device->cache, page);
    return place;
}

static int
read_pages(struct device *device, uint64_t at, uint8_t *to, size_t len)
{
    for (size_t n; len > 0; to += n, at += n, len -= n) {
        size_t skip = (size_t)(at % CACHE_PAGE);
        const uint8_t *page = read_page(device, at / CACHE_PAGE);

        if (page == NULL)
            return -1;
        n = len < CACHE_PAGE - skip ? len : CACHE_PAGE - skip;
        memcpy(to, page + skip, n);
    }
    return 0;
}

/* What is longer than a page is some file's content, read once. */
int
device_read(struct device *device, uint64_t at, void *buf, size_t len)
{
    assert(is_inside(device, at, len));
    if (device->broken.code != V2V_OK ||
        (len <= CACHE_PAGE ? read_pages : read_disk)(device, at, buf, len) < 0)
        return fail();
    return 0;
}

/* Outside of the partition the library writes only when it is wrong about
 * everything. */
static int
device_write(struct device *device, uint64_t at, const void *buf, size_t len)
{
    const uint8_t *from = buf;
    bool whole;

    if (device->broken.code != V2V_OK)
        return fail();
    if (device->disk.write == NULL || !is_inside(device, at, len)) {
        v2v_error_set(&device->broken, V2V_ERR_FORMAT,
                      "%zu bytes would go to byte %" PRIu64
                      " of a volume of %" PRIu64,
                      len, at, device->len);
        return fail();
    }
    device->written = true;
    cache_forget(device->cache, at, len);
    for (size_t n; len > 0; from += n, at += n, len -= n) {
        n = piece_of(device, at, len, &whole);
        if (write_piece(device, at, from, n, whole) < 0)
            return fail();
    }
    return 0;
}

/* ---- the library's operations ---- */

static int
open_device(struct ntfs_device *dev, int flags)
{
    const struct device *device = dev->d_private;
    bool write = (flags & O_ACCMODE) != O_RDONLY;

    if (write && device->disk.write == NULL) {
        errno = EROFS;
        return -1;
    }
    NDevSetOpen(dev);
    if (!write)
        NDevSetReadOnly(dev);
    return 0;
}

static int
close_device(struct ntfs_device *dev)
{
    NDevClearOpen(dev);
    return 0;
}

/* The library asks so whether the volume's last sector is there. */
static s64
seek(struct ntfs_device *dev, s64 offset, int whence)
{
    struct device *device = dev->d_private;
    uint64_t base = whence == SEEK_SET   ? 0
                    : whence == SEEK_CUR ? device->at
                                         : device->len;
    uint64_t to = base + (uint64_t)offset;

    if (to >= device->len) {
        errno = EINVAL;
        return -1;
    }
    device->at = to;
    return (s64)to;
}

/* As read() does, less at the end, and nothing behind it. */
static s64
pread_device(struct ntfs_device *dev, void *buf, s64 count, s64 offset)
{
    struct device *device = dev->d_private;
    uint64_t at = (uint64_t)offset, len = (uint64_t)count;

    if (count < 0 || offset < 0) {
        errno = EINVAL;
        return -1;
    }
    if (at >= device->len)
        return 0;
    if (len > device->len - at)
        len = device->len - at;
    return device_read(device, at, buf, (size_t)len) < 0 ? -1 : (s64)len;
}

static s64
pwrite_device(struct ntfs_device *dev, const void *buf, s64 count, s64 offset)
{
    if (count < 0 || offset < 0 || NDevReadOnly(dev)) {
        errno = NDevReadOnly(dev) ? EROFS : EINVAL;
        return -1;
    }
    NDevSetDirty(dev);
    return device_write(dev->d_private, (uint64_t)offset, buf, (size_t)count) <
                   0
               ? -1
               : count;
}

static s64
read_device(struct ntfs_device *dev, void *buf, s64 count)
{
    struct device *device = dev->d_private;
    s64 n = pread_device(dev, buf, count, (s64)device->at);

    if (n > 0)
        device->at += (uint64_t)n;
    return n;
}

static s64
write_device(struct ntfs_device *dev, const void *buf, s64 count)
{
    struct device *device = dev->d_private;
    s64 n = pwrite_device(dev, buf, count, (s64)device->at);

    if (n > 0)
        device->at += (uint64_t)n;
    return n;
}

/* Only ntfs_unmount() flushes: what was written is of use when all was. */
static int
sync_device(struct ntfs_device *dev)
{
    const struct device *device = dev->d_private;

    if (device->broken.code != V2V_OK)
        return fail();
    NDevClearDirty(dev);
    return 0;
}

static int
stat_device(struct ntfs_device *dev, struct stat *buf)
{
    (void)dev;
    (void)buf;
    errno = EOPNOTSUPP;
    return -1;
}

static int
ioctl_device(struct ntfs_device *dev, unsigned long request, void *arg)
{
    (void)dev;
    (void)request;
    (void)arg;
    errno = EOPNOTSUPP;
    return -1;
}

struct ntfs_device_operations device_operations = {
    .open = open_device,
    .close = close_device,
    .seek = seek,
    .read = read_device,
    .write = write_device,
    .pread = pread_device,
    .pwrite = pwrite_device,
    .sync = sync_device,
    .stat = stat_device,
    .ioctl = ioctl_device,
};
