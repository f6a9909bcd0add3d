/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "disk/probe.h"

/* pread_device may give less than asked, as read() does. */
static int
read_disk(void *opaque, uint64_t offset, void *buf, size_t len,
          struct v2v_error *err)
{
    const struct guest_device *disk = opaque;
    uint8_t *to = buf;

    while (len > 0) {
        size_t want = len < GUEST_CHUNK ? len : GUEST_CHUNK, got = 0;
        V2V_AUTO(mem)
        char *data = guestfs_pread_device(disk->guest->g, disk->name, (int)want,
                                          (int64_t)offset, &got);

        if (data == NULL)
            return guest_fail(disk->guest, err, "reading the disk");
        if (got == 0 || got > want)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "the disk ends at byte %" PRIu64, offset);
        memcpy(to, data, got);
        to += got;
        offset += got;
        len -= got;
    }
    return 0;
}

unsigned
guest_disk_count(const struct guest *guest)
{
    return guest->disk_count;
}

struct guest_place
guest_place(const struct guest *guest, unsigned disk, unsigned partition)
{
    struct guest_place place;

    if (guest->disk_count == 1)
        snprintf(place.text, sizeof place.text, "partition %u", partition);
    else
        snprintf(place.text, sizeof place.text, "disk %u, partition %u",
                 disk + 1, partition);
    return place;
}

int
guest_disk(struct guest *guest, unsigned disk, struct disk_reader *ret,
           struct v2v_error *err)
{
    struct guest_device *device = &guest->disks[disk];
    int64_t size = guestfs_blockdev_getsize64(guest->g, device->name);

    if (size < 0)
        return guest_fail(guest, err, "size of the disk");
    *ret = (struct disk_reader){ .read = read_disk,
                                 .opaque = device,
                                 .size = (uint64_t)size };
    return 0;
}

/* ntfs-3g mounts what it finds unsafe to write (hibernation, an open journal)
 * read-only, and succeeds. */
static int
check_writable(struct guest *guest, struct v2v_error *err)
{
    struct guestfs_statvfs *st = guestfs_statvfs(guest->g, "/");
    bool read_only;

    if (st == NULL)
        return guest_fail(guest, err, "state of the mounted volume");
    read_only = (st->flag & ST_RDONLY) != 0;
    guestfs_free_statvfs(st);
    if (read_only)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the volume cannot be written.  This probably "
                        "happened because Windows Hibernation or Fast Restart "
                        "is being used: shut Windows down fully");
    return 0;
}

static int
mount_device(struct guest *guest, unsigned disk, unsigned partition,
             const char *options, const char *type, struct v2v_error *err)
{
    const char *name = guest->disks[disk].name;
    char device[32];

    if (partition == 0)
        snprintf(device, sizeof device, "%s", name);
    else
        snprintf(device, sizeof device, "%s%u", name, partition);
    if (guest_unmount(guest, err) < 0)
        return -1;
    if (guestfs_mount_vfs(guest->g, options, type, device, "/") < 0) {
        guest_fail(guest, err, "%s: cannot mount it (%s, %s)",
                   guest_place(guest, disk, partition).text, type, options);
        if (err != NULL)
            err->code = V2V_ERR_GUEST;
        return -1;
    }
    guest->mounted = true;
    return 0;
}

/* "norecover": by default ntfs-3g throws an unclean journal away, and with it
 * what Windows had not yet finished.  So it mounts such a volume read-only,
 * too (measured: version 2022.10.3, journals 1.1 and 2.0). */
int
guest_mount(struct guest *guest, unsigned disk, unsigned partition, bool write,
            struct v2v_error *err)
{
    if (mount_device(guest, disk, partition, write ? "rw,norecover" : "ro",
                     "ntfs-3g", err) < 0)
        return -1;
    if (write && check_writable(guest, err) < 0) {
        guest_unmount(guest, NULL);
        return v2v_fail_in(err, "%s", guest_place(guest, disk, partition).text);
    }
    return 0;
}

int
guest_mount_fat(struct guest *guest, unsigned disk, unsigned partition,
                struct v2v_error *err)
{
    return mount_device(guest, disk, partition, "ro", "vfat", err);
}

int
guest_unmount(struct guest *guest, struct v2v_error *err)
{
    if (guest->mounted && guestfs_umount(guest->g, "/") < 0)
        return guest_fail(guest, err, "cannot unmount the volume");
    guest->mounted = false;
    return 0;
}

static int
check_size(const char *path, uint64_t size, size_t max, struct v2v_error *err)
{
    if (max > GUEST_FILE_MAX)
        max = GUEST_FILE_MAX;
    if (size > max)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "%s: %" PRIu64 " bytes are more than the limit of %zu",
                        path, size, max);
    return 0;
}

/* A file in memory, by the name under which libguestfs opens it. */
static int
memory_file(int *ret, char *name, size_t name_len, struct v2v_error *err)
{
    int fd = memfd_create("guest file", MFD_CLOEXEC);

    if (fd < 0)
        return v2v_fail_errno(err, errno, "memfd_create");
    snprintf(name, name_len, "/dev/fd/%d", fd);
    *ret = fd;
    return 0;
}

int
guest_read(struct guest *guest, const char *path, size_t max,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(fd) int fd = -1;
    struct v2v_bytes data = { 0 };
    char name[32];

    if (guest_resolve_file(guest, path, &node, err) < 0 ||
        check_size(path, node.stat.size, max, err) < 0 ||
        memory_file(&fd, name, sizeof name, err) < 0)
        return -1;
    if (guestfs_download(guest->g, node.path, name) < 0)
        return guest_fail(guest, err, "reading %s", path);
    if (v2v_file_read(name, GUEST_FILE_MAX, &data, err) < 0)
        return v2v_fail_in(err, "reading %s", path);
    if (data.len != node.stat.size) {
        v2v_bytes_done(&data);
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "reading %s: got %zu of %" PRIu64 " bytes", path,
                        data.len, node.stat.size);
    }
    v2v_bytes_done(ret);
    *ret = data;
    return 0;
}

int
guest_head(struct guest *guest, const char *path, size_t len,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(mem) char *data = NULL;
    struct v2v_bytes copy = { 0 };
    size_t got = 0;

    if (guest_resolve_file(guest, path, &node, err) < 0)
        return -1;
    if (len > GUEST_CHUNK)
        len = GUEST_CHUNK;
    data = guestfs_pread(guest->g, node.path, (int)len, 0, &got);
    if (data == NULL)
        return guest_fail(guest, err, "reading %s", path);
    if (v2v_bytes_copy(data, got, &copy, err) < 0)
        return -1;
    v2v_bytes_done(ret);
    *ret = copy;
    return 0;
}

static int
collect(char **names, struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings list = { 0 };

    for (size_t i = 0; names[i] != NULL; i++) {
        if (i == GUEST_LIST_MAX)
            return v2v_fail(err, V2V_ERR_GUEST, "more than %d names",
                            GUEST_LIST_MAX);
        if (v2v_strings_add(&list, names[i], err) < 0)
            return -1;
    }
    v2v_strings_done(ret);
    *ret = list;
    list = (struct v2v_strings){ 0 };
    return 0;
}

static void
free_names(char **names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        free(names[i]);
    free(names);
}

int
guest_list(struct guest *guest, const char *dir, struct v2v_strings *ret,
           struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    char **names;
    int rc;

    if (guest_resolve(guest, dir, &node, err) < 0)
        return -1;
    if (!node.stat.exists)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s: absent", dir);
    if (!node.stat.is_dir)
        return v2v_fail(err, V2V_ERR_GUEST, "%s: not a directory", dir);
    names = guestfs_ls(guest->g, node.path);
    if (names == NULL)
        return guest_fail(guest, err, "listing %s", dir);
    rc = collect(names, ret, err);
    free_names(names);
    return rc < 0 ? v2v_fail_in(err, "listing %s", dir) : 0;
}

int
guest_free_space(struct guest *guest, uint64_t *ret, struct v2v_error *err)
{
    struct guestfs_statvfs *st = guestfs_statvfs(guest->g, "/");

    if (st == NULL)
        return guest_fail(guest, err, "free space of the volume");
    *ret = (uint64_t)st->bavail * (uint64_t)st->frsize;
    guestfs_free_statvfs(st);
    return 0;
}
