/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes the volume.  A dirty inode that cannot be closed is lost: those
 * are closed by hand, and the automatic way is for what has failed already. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "ntfs/internal.h"

/* ---- before something is written ---- */

static int
begin_writing(const struct ntfs_volume *volume, struct v2v_error *err)
{
    if (volume_begin(volume, err) < 0)
        return -1;
    return NVolReadOnly(volume->lib)
               ? v2v_fail(err, V2V_ERR_INTERNAL,
                          "the volume is mounted to be read only")
               : 0;
}

/* Not every failure of a write reaches what the library returns. */
static int
end_writing(const struct ntfs_volume *volume, const char *path,
            struct v2v_error *err)
{
    if (volume_begin(volume, err) < 0)
        return v2v_fail_in(err, "writing %s", path);
    return 0;
}

/* What was begun and did not end: nobody knows what the volume is like, and
 * nothing is written any more.  What there was no room for was rolled back. */
static int
give_up(struct ntfs_volume *volume, const char *path, struct v2v_error *err)
{
    if (volume->device.broken.code == V2V_OK &&
        (err == NULL || err->code != V2V_ERR_GUEST))
        v2v_error_set(&volume->device.broken, V2V_ERR_INTERNAL,
                      "%s was not written", path);
    return -1;
}

/* The library rolls back what it has no room for, but not all of it. */
static int
check_space(struct ntfs_volume *volume, const char *path, uint64_t bytes,
            struct v2v_error *err)
{
    uint64_t have;

    if (ntfs_free_space(volume, &have, err) < 0)
        return -1;
    if (bytes > have)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "%s: %" PRIu64 " KiB are needed, the volume has "
                        "%" PRIu64 " free",
                        path, (bytes + 1023) >> 10, have >> 10);
    return 0;
}

/* NTFS keeps itself in files, too. */
static int
check_not_own(const ntfs_inode *inode, const char *path, struct v2v_error *err)
{
    if (inode->mft_no < FILE_first_user)
        return v2v_fail(err, V2V_ERR_GUEST, "%s is one of NTFS' own files",
                        path);
    return 0;
}

/* ---- a new file or directory ---- */

static int
check_replaced(const ntfs_inode *inode, const ntfs_inode *dir, const char *path,
               bool by_directory, struct v2v_error *err)
{
    if (check_not_own(inode, path, err) < 0)
        return -1;
    if (inode->mft_no == dir->mft_no)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s is in itself: damaged", path);
    if (by_directory || (is_directory(inode) && !is_reparse(inode)))
        return v2v_fail(err, V2V_ERR_GUEST, "%s is %s", path,
                        by_directory ? "there already" : "a directory");
    return 0;
}

/* Removes the name, and the file unless it has others: hard links elsewhere
 * keep the old content.  @dir is opened anew, as the library closes it. */
static int
remove_old(struct ntfs_volume *volume, ntfs_inode **dir, ntfs_inode *inode,
           const struct name *name, const char *path, struct v2v_error *err)
{
    u64 dir_number = (*dir)->mft_no;

    if (ntfs_delete(volume->lib, NULL, inode, v2v_steal(*dir), name->units,
                    (u8)name->count) == 0)
        *dir = ntfs_inode_open(volume->lib, dir_number);
    if (*dir != NULL)
        return 0;
    volume_set_error(volume, errno, err, "%s: removing the old one", path);
    return give_up(volume, path, err);
}

/* ntfs_create() does not look whether the name is there, in whatever case. */
static int
clear_way(struct ntfs_volume *volume, ntfs_inode **dir, const struct name *name,
          const char *path, bool by_directory, struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    struct name spelled;
    int found = open_child(volume, *dir, name, true, &inode, err);

    if (found <= 0)
        return found;
    if (check_replaced(inode, *dir, path, by_directory, err) < 0 ||
        spell(volume, *dir, inode, name, &spelled, err) < 0)
        return -1;
    return remove_old(volume, dir, v2v_steal(inode), &spelled, path, err);
}

/* At most @piece bytes at once. */
static int
write_data(const struct ntfs_volume *volume, const char *path, ntfs_attr *data,
           const uint8_t *bytes, size_t len, uint64_t offset, size_t piece,
           struct v2v_error *err)
{
    while (len > 0) {
        size_t want = len < piece ? len : piece;
        s64 done = ntfs_attr_pwrite(data, (s64)offset, (s64)want, bytes);

        if (done <= 0 || (size_t)done > want)
            return volume_fail(volume, done < 0 ? errno : EIO, err,
                               "writing %s at byte %" PRIu64, path, offset);
        bytes += done;
        offset += (uint64_t)done;
        len -= (size_t)done;
    }
    return 0;
}

/* All clusters at once, so that they lie side by side where there is room.
 * The library takes one gap of each 4096 clusters only (NTFS_LCNALLOC_SKIP in
 * its lcnalloc.c), and then says that the volume is full: where gaps are many
 * and small, as on an old volume that is nearly full, it finds them all when
 * it is asked for a cluster after the other.
 * @piece: how many bytes to write at once. */
static int
make_room(const struct ntfs_volume *volume, const char *path, ntfs_attr *data,
          uint64_t len, size_t *piece, struct v2v_error *err)
{
    *piece = SIZE_MAX;
    if (ntfs_attr_truncate_solid(data, (s64)len) == 0)
        return 0;
    if (errno != ENOSPC)
        return volume_fail(volume, errno, err, "%s: making room", path);
    volume->lib->full_zones = 0;
    *piece = volume->lib->cluster_size;
    return 0;
}

/* When the volume is full after all, what was added is taken back. */
static int
write_grown(const struct ntfs_volume *volume, const char *path, ntfs_attr *data,
            const uint8_t *bytes, size_t len, uint64_t offset, size_t piece,
            struct v2v_error *err)
{
    s64 old = data->data_size;

    if (write_data(volume, path, data, bytes, len, offset, piece, err) == 0)
        return 0;
    if (piece != SIZE_MAX && data->data_size > old &&
        ntfs_attr_truncate(data, old) != 0)
        return volume_fail(volume, EIO, err, "taking back %s", path);
    return -1;
}

static int
fill(const struct ntfs_volume *volume, const char *path, ntfs_inode *inode,
     const void *bytes, size_t len, struct v2v_error *err)
{
    V2V_AUTO(attr)
    ntfs_attr *data = ntfs_attr_open(inode, AT_DATA, AT_UNNAMED, 0);
    size_t piece;

    if (data == NULL)
        return volume_fail(volume, errno, err, "%s: its content", path);
    if (make_room(volume, path, data, len, &piece, err) < 0)
        return -1;
    return write_grown(volume, path, data, bytes, len, 0, piece, err);
}

/* Files with equal descriptors share one entry of $Secure.  Without this
 * ntfs_create() has let Everyone do everything. */
static int
set_descriptor(const struct ntfs_volume *volume, const char *path,
               ntfs_inode *inode, const void *sd, size_t sd_len,
               struct v2v_error *err)
{
    struct SECURITY_CONTEXT context = { .vol = volume->lib };

    if (ntfs_set_ntfs_acl(&context, inode, sd, sd_len, 0) != 0)
        return volume_fail(volume, errno, err, "%s: its security descriptor",
                           path);
    return 0;
}

/* The parent's index keeps a copy of the size and the times, which is written
 * when the inode is closed.  Not by ntfs_inode_close_in_dir(), which spares
 * opening the parent anew: when it fails it may have closed the parent, too, or
 * not (2022.10.3, ntfs_inode_sync_file_name()). */
static int
close_both(const struct ntfs_volume *volume, const char *path,
           ntfs_inode **inode, ntfs_inode **dir, struct v2v_error *err)
{
    ntfs_inode_update_times(*inode, NTFS_UPDATE_MCTIME);
    ntfs_inode_update_times(*dir, NTFS_UPDATE_MCTIME);
    if (ntfs_inode_close(v2v_steal(*dir)) != 0 ||
        ntfs_inode_close(v2v_steal(*inode)) != 0)
        return volume_fail(volume, errno, err, "closing %s", path);
    return 0;
}

static int
create(const struct ntfs_volume *volume, const char *path, ntfs_inode *dir,
       const struct name *name, bool directory, ntfs_inode **ret,
       struct v2v_error *err)
{
    *ret = ntfs_create(dir, const_cpu_to_le32(0), name->units, (u8)name->count,
                       directory ? S_IFDIR : S_IFREG);
    return *ret == NULL ? volume_fail(volume, errno, err, "creating %s", path)
                        : 0;
}

int
ntfs_make(struct ntfs_volume *volume, const char *path, bool directory,
          const void *data, size_t len, const void *sd, size_t sd_len,
          struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *dir = NULL;
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    const char *last;
    struct name name;

    assert(sd_len > 0);
    if (begin_writing(volume, err) < 0 ||
        check_space(volume, path, len, err) < 0 ||
        open_parent(volume, path, &dir, &last, err) < 0 ||
        name_set(last, &name, err) < 0 ||
        clear_way(volume, &dir, &name, path, directory, err) < 0)
        return -1;
    if (create(volume, path, dir, &name, directory, &inode, err) < 0 ||
        set_descriptor(volume, path, inode, sd, sd_len, err) < 0 ||
        (!directory && fill(volume, path, inode, data, len, err) < 0) ||
        close_both(volume, path, &inode, &dir, err) < 0)
        return give_up(volume, path, err);
    return end_writing(volume, path, err);
}

/* ---- a file that is there ---- */

static int
open_to_write(struct ntfs_volume *volume, const char *path, ntfs_inode **inode,
              ntfs_attr **data, struct v2v_error *err)
{
    if (begin_writing(volume, err) < 0 ||
        open_path(volume, path, inode, err) < 0 ||
        check_not_own(*inode, path, err) < 0)
        return -1;
    return open_data(volume, path, *inode, data, err);
}

static bool
is_compressed(const ntfs_attr *data)
{
    return (data->data_flags & ATTR_COMPRESSION_MASK) != const_cpu_to_le16(0);
}

/* A compressed file grows as it is written, a block after the other. */
static int
grow(struct ntfs_volume *volume, const char *path, ntfs_attr *data,
     uint64_t len, size_t *piece, struct v2v_error *err)
{
    uint64_t old = (uint64_t)data->data_size;

    *piece = SIZE_MAX;
    if (len <= old)
        return 0;
    if (len > INT64_MAX)
        return v2v_fail(err, V2V_ERR_GUEST, "%s: too large", path);
    if (check_space(volume, path, len - old, err) < 0)
        return -1;
    return is_compressed(data) ? 0
                               : make_room(volume, path, data, len, piece, err);
}

/* As Windows does, a file that was written is one to archive. */
static int
close_written(const struct ntfs_volume *volume, const char *path,
              ntfs_inode **inode, ntfs_attr **data, struct v2v_error *err)
{
    if (is_compressed(*data) && ntfs_attr_pclose(*data) != 0)
        return volume_fail(volume, errno, err, "closing %s", path);
    ntfs_attr_close(v2v_steal(*data));
    (*inode)->flags |= FILE_ATTR_ARCHIVE;
    ntfs_inode_update_times(*inode, NTFS_UPDATE_MCTIME);
    if (ntfs_inode_close(v2v_steal(*inode)) != 0)
        return volume_fail(volume, errno, err, "closing %s", path);
    return end_writing(volume, path, err);
}

int
ntfs_write_at(struct ntfs_volume *volume, const char *path, const void *data,
              size_t len, uint64_t offset, struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    V2V_AUTO(attr) ntfs_attr *attr = NULL;
    size_t piece;

    if (open_to_write(volume, path, &inode, &attr, err) < 0)
        return -1;
    if (offset > UINT64_MAX - len)
        return v2v_fail(err, V2V_ERR_GUEST, "%s: too large", path);
    if (grow(volume, path, attr, offset + len, &piece, err) < 0 ||
        write_grown(volume, path, attr, data, len, offset, piece, err) < 0 ||
        close_written(volume, path, &inode, &attr, err) < 0)
        return give_up(volume, path, err);
    return 0;
}

/* To another size; what is new reads as zeros. */
static int
resize(struct ntfs_volume *volume, const char *path, ntfs_attr *data,
       uint64_t len, struct v2v_error *err)
{
    size_t piece;

    if (grow(volume, path, data, len, &piece, err) < 0)
        return -1;
    if (len != (uint64_t)data->data_size &&
        ntfs_attr_truncate(data, (s64)len) != 0)
        return volume_fail(volume, errno, err, "resizing %s", path);
    return 0;
}

int
ntfs_truncate(struct ntfs_volume *volume, const char *path, uint64_t len,
              struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    V2V_AUTO(attr) ntfs_attr *attr = NULL;

    if (open_to_write(volume, path, &inode, &attr, err) < 0)
        return -1;
    if (resize(volume, path, attr, len, err) < 0 ||
        close_written(volume, path, &inode, &attr, err) < 0)
        return give_up(volume, path, err);
    return 0;
}
