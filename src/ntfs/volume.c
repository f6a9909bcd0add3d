/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "disk/ntfs.h"
#include "ntfs/internal.h"

/* ---- what is not written ---- */

static int
read_bytes(void *opaque, uint64_t offset, void *buf, size_t len,
           struct v2v_error *err)
{
    struct device *device = opaque;

    if (device_read(device, offset - device->offset, buf, len) < 0)
        return v2v_fail(err, device->broken.code, "%s", device->broken.text);
    return 0;
}

/* The names and texts of findings are those of check/, which sees them first;
 * what is said here is for who writes without it. */
static int
refuse_hibernated(enum ntfs_journal journal, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_GUEST,
                      journal == NTFS_JOURNAL_V2 ? "fast-startup"
                                                 : "hibernated",
                      "Windows is hibernated, or was shut down with Fast "
                      "Startup (hiberfil.sys is active): start it and shut it "
                      "down with \"shutdown /s /t 0\"");
}

static int
refuse_journal(enum ntfs_journal journal, struct v2v_error *err)
{
    if (journal == NTFS_JOURNAL_CLEAN || journal == NTFS_JOURNAL_EMPTY)
        return 0;
    if (journal == NTFS_JOURNAL_V2)
        return v2v_refuse(err, V2V_ERR_GUEST, "journal-v2",
                          "Windows was not shut down completely (NTFS journal "
                          "version 2: Fast Startup, hibernation or a crash): "
                          "start it and shut it down with \"shutdown /s /t "
                          "0\"");
    return v2v_refuse(err, V2V_ERR_GUEST, "journal-unclean",
                      "the NTFS journal is %s: the volume was not unmounted "
                      "cleanly: start Windows and shut it down",
                      ntfs_journal_name(journal));
}

/* ---- mounting ---- */

static int
mount_library(struct ntfs_volume *volume, unsigned long flags,
              struct v2v_error *err)
{
    struct ntfs_device *dev =
        ntfs_device_alloc("NTFS", 0, &device_operations, &volume->device);

    if (dev == NULL)
        return v2v_fail_errno(err, errno, "NTFS");
    catch_messages();
    volume->lib = ntfs_device_mount(dev, flags);
    if (volume->lib == NULL) {
        int errnum = errno;

        ntfs_device_free(dev);
        return volume_fail(volume, errnum, err, "cannot mount the NTFS volume");
    }
    return 0;
}

static int
unmount_library(struct ntfs_volume *volume, struct v2v_error *err)
{
    catch_messages();
    if (ntfs_umount(v2v_steal(volume->lib), FALSE) != 0)
        return volume_fail(volume, errno, err,
                           "cannot unmount the NTFS volume");
    return 0;
}

/* As it is, and nothing of it is changed, whatever state it is in: without
 * NTFS_MNT_FORENSIC the library repairs, and refuses to mount.  */
static int
mount_to_read(struct ntfs_volume *volume, struct v2v_error *err)
{
    return mount_library(volume, NTFS_MNT_RDONLY | NTFS_MNT_FORENSIC, err);
}

/* The library refuses the same, but for the dirty flag, with errnos that do not
 * tell why.  Looked at in the order of check/. */
static int
check_state(struct ntfs_volume *volume, struct v2v_error *err)
{
    struct device *device = &volume->device;
    const struct disk_reader reader = { read_bytes, device, device->disk.size };
    struct ntfs_state state;
    bool hibernated;

    if (ntfs_state_read(&reader, device->offset, device->len, &state, err) <
            0 ||
        mount_to_read(volume, err) < 0)
        return -1;
    hibernated = ntfs_volume_check_hiberfile(volume->lib, 0) != 0;
    if (hibernated && errno != EPERM)
        return volume_fail(volume, errno, err, "hiberfil.sys");
    if (unmount_library(volume, err) < 0)
        return -1;
    if (hibernated)
        return refuse_hibernated(state.journal, err);
    if (state.dirty)
        return v2v_refuse(err, V2V_ERR_GUEST, "volume-dirty",
                          "the NTFS volume is marked dirty: let Windows run "
                          "chkdsk and shut it down");
    return refuse_journal(state.journal, err);
}

/* NTFS_MNT_RECOVER would throw a journal away that is not clean. */
static int
mount_to_write(struct ntfs_volume *volume, struct v2v_error *err)
{
    if (volume->device.disk.write == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "the disk is read-only");
    if (check_state(volume, err) < 0)
        return -1;
    return mount_library(volume, NTFS_MNT_NONE, err);
}

static int
check_place(const struct ntfs_disk *disk, uint64_t offset, uint64_t len,
            struct v2v_error *err)
{
    assert(disk->sector_size == 512 || disk->sector_size == SECTOR_MAX);
    if (len == 0 || offset > disk->size || len > disk->size - offset)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%" PRIu64 " bytes at byte %" PRIu64
                        " are not on a disk of %" PRIu64,
                        len, offset, disk->size);
    return 0;
}

int
ntfs_mount_at(const struct ntfs_disk *disk, uint64_t offset, uint64_t len,
              bool write, struct ntfs_volume **ret, struct v2v_error *err)
{
    V2V_AUTO(ntfs_volume) struct ntfs_volume *volume = NULL;

    if (check_place(disk, offset, len, err) < 0)
        return -1;
    volume = calloc(1, sizeof *volume);
    if (volume == NULL)
        return v2v_fail_errno(err, errno, "NTFS");
    volume->device = (struct device){ *disk, .offset = offset, .len = len,
                                      .cache = &volume->cache };
    if ((write ? mount_to_write : mount_to_read)(volume, err) < 0)
        return -1;
    /* as libguestfs' mount: hidden files yes, NTFS' own no */
    ntfs_set_shown_files(volume->lib, FALSE, TRUE, FALSE);
    *ret = v2v_steal(volume);
    return 0;
}

static int
flush(const struct ntfs_volume *volume, struct v2v_error *err)
{
    const struct ntfs_disk *disk = &volume->device.disk;

    return disk->flush != NULL && disk->write != NULL
               ? disk->flush(disk->opaque, err)
               : 0;
}

/* A damaged volume can lead the library to write over what it is mounted by,
 * which it does not notice as it has that in memory. */
static int
mount_once_more(struct ntfs_volume *volume, struct v2v_error *err)
{
    if (!volume->device.written)
        return 0;
    if (mount_to_read(volume, err) < 0 || unmount_library(volume, err) < 0)
        return v2v_fail_in(err, "after it was written");
    return 0;
}

int
ntfs_unmount(struct ntfs_volume *volume, struct v2v_error *err)
{
    V2V_AUTO(ntfs_volume) struct ntfs_volume *owned = volume;

    if (volume_begin(owned, err) < 0 || unmount_library(owned, err) < 0)
        return -1;
    /* not every failure of a write reaches what the library returns */
    if (volume_begin(owned, err) < 0 || mount_once_more(owned, err) < 0)
        return -1;
    return flush(owned, err);
}

void
ntfs_abandon(struct ntfs_volume *volume)
{
    if (volume == NULL)
        return;
    if (volume->device.broken.code == V2V_OK)
        v2v_error_set(&volume->device.broken, V2V_ERR_INTERNAL, "given up");
    if (volume->lib != NULL)
        ntfs_umount(volume->lib, FALSE);
    free(volume);
}

int
ntfs_free_space(struct ntfs_volume *volume, uint64_t *ret,
                struct v2v_error *err)
{
    ntfs_volume *lib = volume->lib;

    if (volume_begin(volume, err) < 0)
        return -1;
    if (!NVolFreeSpaceKnown(lib) && ntfs_volume_get_free_space(lib) != 0)
        return volume_fail(volume, errno, err, "counting free clusters");
    *ret = lib->free_clusters > 0
               ? (uint64_t)lib->free_clusters * lib->cluster_size
               : 0;
    return 0;
}
