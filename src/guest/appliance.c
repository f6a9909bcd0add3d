/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/appliance.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "image/nbd.h"

/* system.ntfs_acl: the security descriptor as NTFS stores it.
 * Source: man ntfs-3g.secaudit and ntfs-3g's "Extended attributes" page. */
#define ACL_ATTRIBUTE "system.ntfs_acl"

/* pread_device may give less than asked, as read() does. */
static int
fill_window(const struct appliance_disk *disk, uint64_t offset,
            struct appliance_window *window, struct v2v_error *err)
{
    size_t got = 0;
    V2V_AUTO(mem)
    char *data =
        guestfs_pread_device(disk->appliance->g, disk->name,
                             sizeof window->data, (int64_t)offset, &got);

    if (data == NULL)
        return appliance_fail_in(disk->appliance, err, "reading the disk");
    if (got == 0 || got > sizeof window->data)
        return v2v_fail(err, V2V_ERR_FORMAT, "the disk ends at byte %" PRIu64,
                        offset);
    memcpy(window->data, data, got);
    window->disk = disk;
    window->offset = offset;
    window->len = got;
    return 0;
}

/* Each pread_device waits for the appliance's udev, a tenth of a second without
 * KVM; what is looked at lies in a few places. */
static int
find_window(const struct appliance_disk *disk, uint64_t offset,
            const struct appliance_window **ret, struct v2v_error *err)
{
    struct appliance *appliance = disk->appliance;
    struct appliance_window *windows = appliance->windows;
    struct appliance_window *oldest;
    uint64_t start = offset - offset % APPLIANCE_WINDOW_LEN;

    for (size_t i = 0; i < APPLIANCE_WINDOWS; i++) {
        *ret = &windows[i];
        if (windows[i].disk == disk && windows[i].offset == start &&
            offset < start + windows[i].len)
            return 0;
    }
    oldest = &windows[appliance->next_window++ % APPLIANCE_WINDOWS];
    oldest->disk = NULL;
    *ret = oldest;
    return fill_window(disk, start, oldest, err);
}

static int
read_windows(const struct appliance_disk *disk, uint64_t offset, uint8_t *to,
             size_t len, struct v2v_error *err)
{

    while (len > 0) {
        const struct appliance_window *window;
        size_t at, part;

        if (find_window(disk, offset, &window, err) < 0)
            return -1;
        at = (size_t)(offset - window->offset);
        if (at >= window->len)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "the disk ends at byte %" PRIu64, offset);
        part = window->len - at < len ? window->len - at : len;
        memcpy(to, window->data + at, part);
        to += part;
        offset += part;
        len -= part;
    }
    return 0;
}

/* As it is stored. */
static int
read_plain(const struct appliance_disk *disk, uint64_t offset, uint8_t *to,
           size_t len, struct v2v_error *err)
{
    struct disk_reader beside;

    if (disk->beside == NULL)
        return read_windows(disk, offset, to, len, err);
    beside = nbd_disk_reader(disk->beside);
    return beside.read(beside.opaque, offset, to, len, err);
}

/* What is decrypted is in the place of what is not. */
static int
read_disk(void *opaque, uint64_t offset, void *buf, size_t len,
          struct v2v_error *err)
{
    const struct appliance_disk *disk = opaque;
    uint8_t *to = buf;

    while (len > 0) {
        size_t part = len;
        const struct appliance_volume *volume =
            appliance_find_volume(disk, offset, &part);

        if (volume != NULL
                ? read_windows(&volume->decrypted, offset - volume->offset, to,
                               part, err) < 0
                : read_plain(disk, offset, to, part, err) < 0)
            return -1;
        to += part;
        offset += part;
        len -= part;
    }
    return 0;
}

/* What was read of the disks holds until somebody writes. */
static void
forget_windows(struct appliance *appliance)
{
    for (size_t i = 0; i < APPLIANCE_WINDOWS; i++)
        appliance->windows[i].disk = NULL;
}

static int
open_disk(void *state, unsigned disk, struct disk_reader *ret,
          struct v2v_error *err)
{
    const struct appliance *appliance = state;
    struct appliance_disk *device = &appliance->disks[disk];

    (void)err;
    *ret = (struct disk_reader){ .read = read_disk,
                                 .opaque = device,
                                 .size = device->size };
    return 0;
}

struct appliance_name
appliance_name(const struct appliance_disk *disk, unsigned partition)
{
    struct appliance_name name;

    if (partition == 0)
        snprintf(name.text, sizeof name.text, "%s", disk->name);
    else
        snprintf(name.text, sizeof name.text, "%s%u", disk->name, partition);
    return name;
}

/* Of an encrypted volume, that of what was decrypted. */
static struct appliance_name
name_to_mount(const struct appliance_disk *disk, unsigned partition)
{
    for (const struct appliance_volume *v = disk->appliance->volumes; v != NULL;
         v = v->next)
        if (v->disk == disk && v->partition == partition)
            return appliance_name(&v->decrypted, 0);
    return appliance_name(disk, partition);
}

static int
unmount_volume(void *state, struct v2v_error *err)
{
    struct appliance *appliance = state;

    if (appliance->written)
        forget_windows(appliance);
    if (guestfs_umount(appliance->g, "/") < 0)
        return appliance_fail_in(appliance, err, "cannot unmount the volume");
    return 0;
}

/* ntfs-3g mounts what it finds unsafe to write (hibernation, an open journal)
 * read-only, and succeeds. */
static int
check_writable(const struct appliance *appliance, struct v2v_error *err)
{
    struct guestfs_statvfs *st = guestfs_statvfs(appliance->g, "/");
    bool read_only;

    if (st == NULL)
        return appliance_fail_in(appliance, err, "state of the mounted volume");
    read_only = (st->flag & ST_RDONLY) != 0;
    guestfs_free_statvfs(st);
    if (read_only)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the volume cannot be written.  This probably "
                        "happened because Windows Hibernation or Fast Restart "
                        "is being used: shut Windows down fully");
    return 0;
}

/* "norecover": by default ntfs-3g throws an unclean journal away, and with it
 * what Windows had not yet finished.  So it mounts such a volume read-only,
 * too (measured: version 2022.10.3, journals 1.1 and 2.0). */
static int
mount_volume(void *state, unsigned disk, unsigned partition, enum guest_fs fs,
             bool write, struct v2v_error *err)
{
    static const char *const types[] = {
        [GUEST_NTFS] = "ntfs-3g", [GUEST_FAT] = "vfat"
    };
    struct appliance *appliance = state;
    const struct appliance_name device =
        name_to_mount(&appliance->disks[disk], partition);
    const char *options = write ? "rw,norecover" : "ro";

    if (write)
        forget_windows(appliance);
    appliance->written = write;
    if (guestfs_mount_vfs(appliance->g, options, types[fs], device.text, "/") <
        0) {
        appliance_fail_in(appliance, err, "cannot mount it (%s, %s)", types[fs],
                          options);
        if (err != NULL)
            err->code = V2V_ERR_GUEST;
        return -1;
    }
    if (write && check_writable(appliance, err) < 0) {
        unmount_volume(state, NULL);
        return -1;
    }
    return 0;
}

static int
free_space(void *state, uint64_t *ret, struct v2v_error *err)
{
    const struct appliance *appliance = state;
    struct guestfs_statvfs *st = guestfs_statvfs(appliance->g, "/");

    if (st == NULL)
        return appliance_fail_in(appliance, err, "free space of the volume");
    *ret = (uint64_t)st->bavail * (uint64_t)st->frsize;
    guestfs_free_statvfs(st);
    return 0;
}

/* ntfs-3g shows a reparse point as a symbolic link (or a socket, or a device,
 * for some of WSL's): whatever is neither file nor directory. */
static void
set_stat(const struct guestfs_statns *st, struct guest_stat *ret)
{
    mode_t type = (mode_t)st->st_mode & S_IFMT;

    ret->exists = true;
    ret->is_dir = type == S_IFDIR;
    ret->reparse = type != S_IFDIR && type != S_IFREG;
    ret->size = type == S_IFREG && st->st_size > 0 ? (uint64_t)st->st_size : 0;
    ret->file_number = (uint64_t)st->st_ino; /* ntfs-3g mounts with use_ino */
}

static int
stat_exactly(const struct appliance *appliance, const char *path,
             struct guest_stat *ret, struct v2v_error *err)
{
    struct guestfs_statns *st = guestfs_lstatns(appliance->g, path);

    *ret = (struct guest_stat){ 0 };
    if (st == NULL && guestfs_last_errno(appliance->g) == ENOENT)
        return 0;
    if (st == NULL)
        return appliance_fail_in(appliance, err, "%s", path);
    set_stat(st, ret);
    guestfs_free_statns(st);
    return 0;
}

/* As spelled first: that is one call, and mostly right.  Then the appliance
 * looks through the directory; for an absent name it gives back what it got.
 */
static int
lookup(void *state, const struct guest_node *dir, const char *name,
       struct guest_node *ret, struct v2v_error *err)
{
    const struct appliance *appliance = state;
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(mem) char *spelled = NULL;

    node.path = guest_child_path(dir->path, name, err);
    if (node.path == NULL ||
        stat_exactly(appliance, node.path, &node.stat, err) < 0)
        return -1;
    if (!node.stat.exists) {
        spelled = guestfs_case_sensitive_path(appliance->g, node.path);
        if (spelled == NULL)
            return appliance_fail_in(appliance, err, "%s", node.path);
        if (strcmp(spelled, node.path) != 0) {
            free(node.path);
            node.path = v2v_steal(spelled);
            if (stat_exactly(appliance, node.path, &node.stat, err) < 0)
                return -1;
        }
    }
    *ret = node;
    node = (struct guest_node){ 0 };
    return 0;
}

static void
free_names(char **names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        free(names[i]);
    free(names);
}

static int
collect(char **names, struct v2v_strings *ret, struct v2v_error *err)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (i == GUEST_LIST_MAX)
            return v2v_fail(err, V2V_ERR_GUEST, "more than %d names",
                            GUEST_LIST_MAX);
        if (v2v_strings_add(ret, names[i], err) < 0)
            return -1;
    }
    return 0;
}

static int
list_names(void *state, const struct guest_node *dir, struct v2v_strings *ret,
           struct v2v_error *err)
{
    const struct appliance *appliance = state;
    char **names = guestfs_ls(appliance->g, dir->path);
    int rc;

    if (names == NULL)
        return appliance_fail(appliance, err);
    rc = collect(names, ret, err);
    free_names(names);
    return rc;
}

static int
read_head(void *state, const struct guest_node *file, size_t len,
          struct v2v_bytes *ret, struct v2v_error *err)
{
    const struct appliance *appliance = state;
    size_t got = 0;
    V2V_AUTO(mem)
    char *data = guestfs_pread(appliance->g, file->path, (int)len, 0, &got);

    if (data == NULL)
        return appliance_fail(appliance, err);
    return v2v_bytes_copy(data, got, ret, err);
}

/* libguestfs opens a file by name. */
static int
copy_whole(void *state, const struct guest_node *file, int fd,
           struct v2v_error *err)
{
    const struct appliance *appliance = state;
    char name[32];

    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    if (guestfs_download(appliance->g, file->path, name) < 0)
        return appliance_fail(appliance, err);
    return 0;
}

/* A file that goes into one message does without a file in memory, and without
 * waiting for udev. */
static int
read_whole(void *state, const struct guest_node *file, struct v2v_bytes *ret,
           struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = -1;

    if (file->stat.size <= GUEST_CHUNK)
        return read_head(state, file, GUEST_CHUNK, ret, err);
    fd = memfd_create("guest file", MFD_CLOEXEC);
    if (fd < 0)
        return v2v_fail_errno(err, errno, "memfd_create");
    if (copy_whole(state, file, fd, err) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return v2v_fail_errno(err, errno, "a file in memory");
    return v2v_fd_read(fd, GUEST_FILE_MAX, ret, err);
}

/* What ntfs-3g answers, as if all were well, where it cannot read the
 * descriptor in $Secure: the one of mode 0 for Administrators,
 * O:BAG:BAD:P(A;NP;0x1f0198;;;BA)(A;NP;0x120088;;;BA)(A;NP;0x120088;;;WD)
 * (A;NP;0x1f01bf;;;BA)(A;NP;0x1f01bf;;;SY), for files and directories.  Nothing
 * is inherited from it.
 * Source: ntfs-3g, libntfs-3g/security.c, getsecurityattr(); measured with
 * 2022.10.3 on a volume whose $Secure was overwritten. */
#define SID_ADMINISTRATORS 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0
#define SID_EVERYONE 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0
#define SID_SYSTEM 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0

/* clang-format off */
static const uint8_t made_up[] = {
    1, 0, 0x04, 0x90, 0x8c, 0, 0, 0, 0x9c, 0, 0, 0,
    0, 0, 0, 0, 20, 0, 0, 0,
    2, 0, 0x78, 0, 5, 0, 0, 0,
    0, 4, 24, 0, 0x98, 0x01, 0x1f, 0, SID_ADMINISTRATORS,
    0, 4, 24, 0, 0x88, 0x00, 0x12, 0, SID_ADMINISTRATORS,
    0, 4, 20, 0, 0x88, 0x00, 0x12, 0, SID_EVERYONE,
    0, 4, 24, 0, 0xbf, 0x01, 0x1f, 0, SID_ADMINISTRATORS,
    0, 4, 20, 0, 0xbf, 0x01, 0x1f, 0, SID_SYSTEM,
    SID_ADMINISTRATORS,
    SID_ADMINISTRATORS
};
/* clang-format on */

/* lgetxattr: of a reparse point itself, not of what it points to. */
static int
read_descriptor(void *state, const struct guest_node *node,
                struct v2v_bytes *ret, struct v2v_error *err)
{
    const struct appliance *appliance = state;
    size_t len = 0;
    V2V_AUTO(mem)
    char *sd = guestfs_lgetxattr(appliance->g, node->path, ACL_ATTRIBUTE, &len);

    if (sd == NULL)
        return appliance_fail(appliance, err);
    if (len == sizeof made_up && memcmp(sd, made_up, len) == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: let chkdsk repair the volume in Windows");
    return v2v_bytes_copy(sd, len, ret, err);
}

const struct guest_backend appliance_backend = {
    .name = "libguestfs",
    .disk = open_disk,
    .unlock = appliance_unlock,
    .mount = mount_volume,
    .unmount = unmount_volume,
    .free_space = free_space,
    .lookup = lookup,
    .list = list_names,
    .read = read_whole,
    .copy = copy_whole,
    .head = read_head,
    .descriptor = read_descriptor,
    .make = appliance_make,
    .write_at = appliance_write_at,
    .truncate = appliance_truncate,
    .holds = appliance_holds,
    .close = appliance_close,
    .abandon = appliance_abandon,
};
