/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "image/inspect.h"
#include "image/qemu-img.h"

/* QEMU block/file-posix.c: bytes 100 to 163 and 200 to 263 are locked by its
 * users, one byte a permission; the range leaves room for more. */
enum { QEMU_LOCK_FIRST = 100, QEMU_LOCK_LEN = 200 };

/* Ours: any byte that nobody else uses; locks may lie beyond a file's end. */
#define OUR_LOCK_BYTE INT64_C(0x76327600) /* "v2v" */

struct image {
    char *path;
    char *format;
    int fd;        /* holds the lock */
    char *overlay; /* the names, whether the files exist or not */
    char *marker;
    bool has_overlay;
    bool committing; /* the overlay must survive us */
};

const char *
image_format(const struct image *image)
{
    return image->format;
}

const char *
image_overlay_path(const struct image *image)
{
    return image->has_overlay ? image->overlay : NULL;
}

/* FNV-1a: two images of one name must not share files in a work_dir. */
static uint64_t
hash_of(const char *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *s != '\0'; s++)
        h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
    return h;
}

static int
name_files_in(struct image *image, bool is_device, const char *work_dir,
              struct v2v_error *err)
{
    V2V_AUTO(mem) char *dir = realpath(work_dir, NULL);
    const char *name = v2v_base_name(image->path);
    uint64_t hash = hash_of(image->path);

    if (dir == NULL)
        return v2v_fail(err, V2V_ERR_USAGE, "work directory %s: %s", work_dir,
                        strerror(errno));
    image->overlay =
        v2v_format(err, "%s/%s.%016" PRIx64 ".v2v-overlay", dir, name, hash);
    if (is_device)
        image->marker =
            v2v_format(err, "%s/%s.%016" PRIx64 ".v2v-commit", dir, name, hash);
    return image->overlay == NULL ? -1 : 0;
}

/* The marker stays beside the image wherever the overlay goes: the next run
 * may be given another work directory, and has to find it. */
static int
name_files(struct image *image, bool is_device, const char *work_dir,
           struct v2v_error *err)
{
    if (work_dir == NULL && is_device)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "a block device needs a work directory for its "
                        "overlay");
    if (work_dir == NULL)
        image->overlay = v2v_format(err, "%s.v2v-overlay", image->path);
    else if (name_files_in(image, is_device, work_dir, err) < 0)
        return -1;
    if (!is_device)
        image->marker = v2v_format(err, "%s.v2v-commit", image->path);
    return image->overlay == NULL || image->marker == NULL ? -1 : 0;
}

/* The type is checked before open(): opening a FIFO or a tape does things. */
static int
open_file(struct image *image, const char *path, bool *is_device,
          struct v2v_error *err)
{
    struct stat st;

    image->path = realpath(path, NULL);
    if (image->path == NULL || stat(image->path, &st) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s", strerror(errno));
    *is_device = S_ISBLK(st.st_mode);
    if (!S_ISREG(st.st_mode) && !*is_device)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "neither a regular file nor a block device");
    if ((st.st_mode & 0222) == 0) /* open() would let root pass */
        return v2v_fail(err, V2V_ERR_GUEST,
                        "read-only image: nobody may write it");
    image->fd = open(image->path, O_RDWR | O_CLOEXEC);
    if (image->fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
        return v2v_fail(err, V2V_ERR_GUEST, "read-only image: %s",
                        strerror(errno));
    if (image->fd < 0)
        return v2v_fail_errno(err, errno, "cannot open");
    return 0;
}

static int
take_lock(int fd, struct v2v_error *err)
{
    struct flock ours = { .l_type = F_WRLCK,
                          .l_start = OUR_LOCK_BYTE,
                          .l_len = 1 };
    struct flock qemu = { .l_type = F_WRLCK,
                          .l_start = QEMU_LOCK_FIRST,
                          .l_len = QEMU_LOCK_LEN };

    if (fcntl(fd, F_OFD_SETLK, &ours) < 0) {
        if (errno == EAGAIN || errno == EACCES)
            return v2v_fail(err, V2V_ERR_BUSY, "in use by another v2v-virtio");
        return v2v_fail_errno(err, errno, "cannot lock");
    }
    if (fcntl(fd, F_OFD_GETLK, &qemu) < 0)
        return v2v_fail_errno(err, errno, "cannot ask for QEMU's locks");
    if (qemu.l_type != F_UNLCK)
        return v2v_fail(err, V2V_ERR_BUSY,
                        "in use by a virtual machine or a QEMU tool");
    return 0;
}

static bool
exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* A marker names the overlay whose commit it stands for.  A commit deletes its
 * overlay first: a marker without one is of a commit that was done. */
static int
check_marker(struct image *image, struct v2v_error *err)
{
    static const size_t longest = 1 << 16;
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    V2V_AUTO(mem) char *overlay = NULL;

    if (!exists(image->marker))
        return 0;
    if (v2v_file_read(image->marker, longest, &text, err) < 0)
        return -1;
    overlay = v2v_format(err, "%.*s", (int)text.len, (const char *)text.data);
    if (overlay == NULL)
        return -1;
    overlay[strcspn(overlay, "\n")] = '\0';
    if (exists(overlay))
        return v2v_fail(err, V2V_ERR_GUEST,
                        "a commit was interrupted; finish it: qemu-img commit "
                        "-d -f qcow2 '%s' && rm '%s' '%s'",
                        overlay, overlay, image->marker);
    if (unlink(image->marker) < 0)
        return v2v_fail_errno(err, errno, "%s", image->marker);
    return 0;
}

/* Under our lock: who made these files is dead. */
static int
clear_leftovers(struct image *image, struct v2v_error *err)
{
    if (check_marker(image, err) < 0)
        return -1;
    if (!exists(image->overlay))
        return 0;
    if (unlink(image->overlay) < 0)
        return v2v_fail_errno(err, errno, "%s", image->overlay);
    v2v_warn("image", "stale-overlay",
             "%s: deleted; the run that made it died before it changed the "
             "image",
             image->overlay);
    return 0;
}

static int
open_steps(struct image *image, const char *path,
           const struct image_options *options, struct v2v_error *err)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };
    bool is_device = false;

    if (open_file(image, path, &is_device, err) < 0 ||
        name_files(image, is_device, options->work_dir, err) < 0 ||
        take_lock(image->fd, err) < 0 || clear_leftovers(image, err) < 0 ||
        inspect_image(image->fd, image->path, options->format, IMAGE_IN_PLACE,
                      &info, err) < 0)
        return -1;
    image->format = v2v_strdup(info.format, err);
    return image->format == NULL ? -1 : 0;
}

int
image_open(const char *path, const struct image_options *options,
           struct image **ret, struct v2v_error *err)
{
    static const struct image_options defaults;
    V2V_AUTO(image) struct image *image = calloc(1, sizeof *image);

    if (image == NULL)
        return v2v_fail_errno(err, errno, "image");
    image->fd = -1;
    if (open_steps(image, path, options != NULL ? options : &defaults, err) < 0)
        return v2v_fail_in(err, "%s", path);
    *ret = v2v_steal(image);
    return 0;
}

static int
check_free_space(const char *path, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = v2v_strdup(path, err);
    struct statvfs st;
    uint64_t avail;

    if (copy == NULL)
        return -1;
    if (statvfs(dirname(copy), &st) < 0)
        return v2v_fail_errno(err, errno, "%s", copy);
    avail = (uint64_t)st.f_bavail * st.f_frsize;
    if (avail < IMAGE_FREE_SPACE_MIN)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s: %" PRIu64 " MiB are free, %" PRIu64
                        " MiB are needed",
                        copy, avail >> 20, IMAGE_FREE_SPACE_MIN >> 20);
    return 0;
}

/* qemu-img would follow a symbolic link that is in the way, and would let
 * everybody read what is in the guest. */
static int
make_private_file(const char *path, struct v2v_error *err)
{
    V2V_AUTO(fd)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? v2v_fail_errno(err, errno, "%s", path) : 0;
}

int
image_overlay_create(struct image *image, struct v2v_error *err)
{
    const char *argv[] = { "create",       "-q",          "-f", "qcow2",
                           "-F",           image->format, "-b", image->path,
                           image->overlay, NULL };
    struct v2v_error why = { 0 };

    if (check_free_space(image->overlay, err) < 0 ||
        check_free_space(image->path, err) < 0 ||
        make_private_file(image->overlay, err) < 0)
        return v2v_fail_in(err, "overlay");
    image->has_overlay = true; /* the file is there, and ours to delete */
    if (qemu_img(argv, NULL, &why) < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "overlay %s: %s", image->overlay,
                        why.text);
    return 0;
}

/* fsync of a file by name: of what others wrote into it, too. */
static int
sync_file(const char *path, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return v2v_fail_errno(err, errno, "flushing %s", path);
    return 0;
}

/* From here to the marker's end the overlay is the only whole copy: it and
 * the marker reach the disk before the first byte of the image changes. */
static int
write_marker(struct image *image, struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = v2v_format(err, "%s\n", image->overlay);

    if (text == NULL || sync_file(image->overlay, err) < 0 ||
        v2v_file_replace(image->marker, text, strlen(text), err) < 0)
        return -1;
    image->committing = true;
    return v2v_sync_directory_of(image->overlay, err);
}

static int
delete_files(struct image *image, struct v2v_error *err)
{
    if (unlink(image->overlay) < 0)
        return v2v_fail_errno(err, errno, "%s", image->overlay);
    image->has_overlay = false;
    if (unlink(image->marker) < 0)
        return v2v_fail_errno(err, errno, "%s", image->marker);
    image->committing = false;
    return v2v_sync_directory_of(image->overlay, err);
}

/* A virtual machine was faster: QEMU got no lock and changed nothing. */
static int
give_up_commit(struct image *image)
{
    if (unlink(image->marker) == 0)
        image->committing = false;
    return -1;
}

int
image_commit(struct image *image, struct v2v_error *err)
{
    /* -d: the overlay keeps its content, so that the commit can be repeated */
    const char *argv[] = { "commit", "-q",           "-d", "-f",
                           "qcow2",  image->overlay, NULL };
    struct v2v_error why = { 0 };

    if (write_marker(image, err) < 0)
        return v2v_fail_in(err, "before the commit");
    if (qemu_img(argv, NULL, &why) < 0 && why.code == V2V_ERR_BUSY) {
        v2v_error_set(err, V2V_ERR_BUSY, "%s", why.text);
        return give_up_commit(image);
    }
    if (why.code != V2V_OK || sync_file(image->path, &why) < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "the commit failed and has to be repeated (qemu-img "
                        "commit -d -f qcow2 '%s'): %s",
                        image->overlay, why.text);
    if (delete_files(image, err) < 0)
        return v2v_fail_in(err, "after the commit");
    return 0;
}

void
image_close(struct image *image)
{
    if (image == NULL)
        return;
    if (image->has_overlay && !image->committing)
        unlink(image->overlay);
    if (image->fd >= 0)
        close(image->fd);
    free(image->path);
    free(image->format);
    free(image->overlay);
    free(image->marker);
    free(image);
}
