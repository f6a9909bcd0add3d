/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/open.c - find an image, lock it, end what was left there */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "image/image-private.h"
#include "image/own-file.h"
#include "image/qemu-lock.h"
#include "image/resume.h"
#include "image/scratch.h"

/* Ours: any byte that nobody else uses; locks may lie beyond a file's end. */
#define OUR_LOCK_BYTE INT64_C(0x76327600) /* "v2v" */

static int
check_type(const struct stat *st, struct v2v_error *err)
{
    if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
        return 0;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "neither a regular file nor a block device");
}

/* The type is checked before open(): opening a FIFO or a tape does things. */
static int
find_file(const char *path, char **ret, struct stat *st, struct v2v_error *err)
{
    V2V_AUTO(mem) char *absolute = realpath(path, NULL);

    if (absolute == NULL || stat(absolute, st) < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? v2v_refuse(err, V2V_ERR_USAGE, "image-not-found", "%s",
                                strerror(errno))
                   : v2v_fail(err, V2V_ERR_USAGE, "%s", strerror(errno));
    if (check_type(st, err) < 0)
        return -1;
    *ret = v2v_steal(absolute);
    return 0;
}

/* A file that was named and is not for this user is a mistake of who named it;
 * one that can be read is an image that cannot be changed. */
static int
refuse_open(const char *path, struct v2v_error *err)
{
    int why = errno;

    if (why != EACCES && why != EPERM && why != EROFS)
        return v2v_fail_errno(err, why, "cannot open");
    if (access(path, R_OK) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s", strerror(why));
    return v2v_refuse(err, V2V_ERR_GUEST, "image-read-only",
                      "read-only image: %s", strerror(why));
}

/* O_EXCL of a block device fails when the host has mounted it or given it to
 * LVM, and keeps the host from doing so later. */
static int
open_for_change(const char *path, const struct stat *st, int *ret,
                struct v2v_error *err)
{
    int exclusive = S_ISBLK(st->st_mode) ? O_EXCL : 0;

    if ((st->st_mode & 0222) == 0) /* open() would let root pass */
        return v2v_refuse(err, V2V_ERR_GUEST, "image-read-only",
                          "read-only image: nobody may write it");
    *ret = open(path, O_RDWR | O_CLOEXEC | exclusive);
    if (*ret >= 0)
        return 0;
    if (errno == EBUSY)
        return v2v_refuse(err, V2V_ERR_BUSY, "image-in-use",
                          "in use by this host: mounted, or part of a volume "
                          "group");
    return refuse_open(path, err);
}

/* @type: F_WRLCK alone, F_RDLCK with others who only read */
static int
take_lock(int fd, short type, struct v2v_error *err)
{
    struct flock ours = { .l_type = type,
                          .l_start = OUR_LOCK_BYTE,
                          .l_len = 1 };

    if (fcntl(fd, F_OFD_SETLK, &ours) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return v2v_refuse(err, V2V_ERR_BUSY, "image-in-use",
                          "in use by another v2v-virtio");
    return v2v_fail_errno(err, errno, "cannot lock");
}

/* Who only reads minds only those who write. */
static int
ask_for_qemu(int fd, bool writes, struct v2v_error *err)
{
    struct flock qemu = { .l_type = F_WRLCK,
                          .l_start =
                              writes ? QEMU_LOCK_FIRST : QEMU_LOCK_WRITER,
                          .l_len = writes ? QEMU_LOCK_LEN : 1 };

    if (fcntl(fd, F_OFD_GETLK, &qemu) < 0)
        return v2v_fail_errno(err, errno, "cannot ask for QEMU's locks");
    if (qemu.l_type != F_UNLCK)
        return v2v_refuse(err, V2V_ERR_BUSY, "image-in-use",
                          "in use by a virtual machine or a QEMU tool");
    return 0;
}

/* Recovery -------------------------------------------------------------- */

const char *
image_recovered_text(enum image_recovered what)
{
    static const char *const texts[] = {
        [IMAGE_NOTHING_TO_RECOVER] = "nothing was interrupted",
        [IMAGE_DISCARDED] = ("the image is as it was before the run that was "
                             "interrupted; what that had prepared is deleted"),
        [IMAGE_FINISHED] = "the commit that was interrupted is finished"
    };

    return texts[what];
}

static int
end_it(struct transaction *t, enum image_recovered *ret, struct v2v_error *err)
{
    switch (t->step) {
    case TRANSACTION_NONE:
        *ret = IMAGE_NOTHING_TO_RECOVER;
        return transaction_sweep(t, err);
    case TRANSACTION_PREPARING:
        *ret = IMAGE_DISCARDED;
        return transaction_discard(t, err);
    case TRANSACTION_COMMITTING:
        if (!t->copy && resume_check(t, err) < 0)
            return -1;
        break;
    case TRANSACTION_COMMITTED:
        break;
    }
    *ret = IMAGE_FINISHED;
    return transaction_finish(t, err);
}

/* A run that died has left what cannot be ended, or not be understood. */
static int
name_interrupted(struct v2v_error *err)
{
    if (err != NULL && err->code == V2V_ERR_GUEST)
        v2v_error_name(err, "image-interrupted");
    return -1;
}

/* @t has its names.  Whoever made these files is dead: the caller has the
 * lock. */
static int
end_what_was_begun(struct transaction *t, enum image_recovered *ret,
                   struct v2v_error *err)
{
    if (transaction_load(t, err) < 0 || end_it(t, ret, err) < 0)
        return name_interrupted(err);
    return 0;
}

static void
warn_of_recovery(const char *path, enum image_recovered what)
{
    if (what != IMAGE_NOTHING_TO_RECOVER)
        v2v_warn("image",
                 what == IMAGE_DISCARDED ? "interrupted-discarded"
                                         : "interrupted-finished",
                 "%s: %s", path, image_recovered_text(what));
}

/* Opens and locks it, if it exists. */
static int
lock_if_there(const char *path, int *ret, struct v2v_error *err)
{
    if (path == NULL)
        return -1;
    *ret = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*ret < 0)
        return errno == ENOENT ? 0 : refuse_open(path, err);
    return take_lock(*ret, F_WRLCK, err);
}

int
image_absolute_name(const char *path, char **ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = v2v_strdup(path, err);
    V2V_AUTO(mem) char *dir = NULL;

    if (copy == NULL)
        return -1;
    *ret = realpath(path, NULL);
    if (*ret != NULL)
        return 0;
    dir = realpath(dirname(copy), NULL);
    if (dir == NULL)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", path, strerror(errno));
    *ret = v2v_format(err, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir,
                      v2v_base_name(path));
    return *ret == NULL ? -1 : 0;
}

/* The lock of a run is on the image, or on its copy as long as that has not got
 * its name. */
static int
recover_steps(const char *path, const char *work_dir, enum image_recovered *ret,
              struct v2v_error *err)
{
    V2V_AUTO(transaction) struct transaction t = { 0 };
    V2V_AUTO(mem) char *image = NULL;
    V2V_AUTO(mem) char *copy = NULL;
    V2V_AUTO(fd) int image_fd = -1;
    V2V_AUTO(fd) int copy_fd = -1;
    struct stat st = { 0 };

    if (image_absolute_name(path, &image, err) < 0)
        return -1;
    if ((stat(image, &st) == 0 && check_type(&st, err) < 0) ||
        transaction_name(image, S_ISBLK(st.st_mode), work_dir, &t, err) < 0)
        return -1;
    copy = transaction_file(&t, "copy", err);
    if (lock_if_there(copy, &copy_fd, err) < 0 ||
        lock_if_there(image, &image_fd, err) < 0)
        return -1;
    return end_what_was_begun(&t, ret, err);
}

bool
image_in_commit(const char *path, const char *work_dir)
{
    V2V_AUTO(transaction) struct transaction t = { 0 };
    V2V_AUTO(mem) char *image = NULL;
    struct stat st = { 0 };

    if (image_absolute_name(path, &image, NULL) < 0)
        return false;
    stat(image, &st);
    return transaction_name(image, S_ISBLK(st.st_mode), work_dir, &t, NULL) ==
               0 &&
           transaction_load(&t, NULL) == 0 && t.step > TRANSACTION_PREPARING;
}

int
image_recover(const char *path, const char *work_dir, enum image_recovered *ret,
              struct v2v_error *err)
{
    if (recover_steps(path, work_dir, ret, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}

/* The other files of a VMDK in parts: our lock on its descriptor stands for
 * them, but QEMU may have one of them without that. */
static int
check_extent(const char *path, bool writes, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = -1;
    struct stat st;

    if (stat(path, &st) < 0)
        return v2v_fail_errno(err, errno, "cannot open");
    if (writes && open_for_change(path, &st, &fd, err) < 0)
        return -1;
    if (!writes && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return v2v_fail_errno(err, errno, "cannot open");
    return ask_for_qemu(fd, writes, err);
}

static int
check_extents(const struct v2v_strings *files, bool writes,
              struct v2v_error *err)
{
    for (size_t i = 1; i < files->count; i++)
        if (check_extent(files->items[i], writes, err) < 0)
            return v2v_fail_in(err, "%s", files->items[i]);
    return 0;
}

/* Opening --------------------------------------------------------------- */

/* The image itself is changed. */
static int
open_in_place(struct image *image, const struct stat *st,
              const struct image_options *options, struct v2v_error *err)
{
    V2V_AUTO(transaction) struct transaction left = { 0 };
    int *lock = &image->locks[IMAGE_LOCK];
    enum image_recovered what;

    image->is_device = S_ISBLK(st->st_mode);
    if (transaction_name(image->source, image->is_device, options->work_dir,
                         &image->t, err) < 0 ||
        transaction_name(image->source, image->is_device, options->work_dir,
                         &left, err) < 0 ||
        open_for_change(image->source, st, lock, err) < 0 ||
        take_lock(*lock, F_WRLCK, err) < 0 ||
        end_what_was_begun(&left, &what, err) < 0)
        return -1;
    warn_of_recovery(image->source, what);
    if (ask_for_qemu(*lock, true, err) < 0)
        return -1;
    if (inspect_image(*lock, image->source, options->format, IMAGE_IN_PLACE,
                      &image->info, err) < 0)
        return -1;
    return check_extents(&image->info.files, true, err);
}

/* Makes the file that will be the output, with the source's permissions, and
 * locks it.  Between open and lock another run may have given it its name or
 * deleted it. */
static int
lock_copy(struct image *image, const struct stat *source, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = transaction_file(&image->t, "copy", err);
    V2V_AUTO(fd) int fd = -1;
    struct stat opened, named;

    if (copy == NULL || own_file_open(copy, O_RDWR | O_CREAT, &fd, err) < 0)
        return -1;
    if (take_lock(fd, F_WRLCK, err) < 0)
        return v2v_fail_in(err, "%s", image->t.image);
    if (fstat(fd, &opened) < 0 || lstat(copy, &named) < 0 ||
        opened.st_ino != named.st_ino)
        return v2v_refuse(err, V2V_ERR_BUSY, "image-in-use",
                          "%s: in use by another v2v-virtio", image->t.image);
    image->locks[IMAGE_LOCK] = fd;
    fd = -1;
    fchmod(image->locks[IMAGE_LOCK], (source->st_mode & 0666) | 0200);
    return 0;
}

/* The output: what was begun there is ended; then it must not exist, and its
 * folder has to be one that can be written. */
static int
check_output(const struct transaction *t, struct v2v_error *err)
{
    const char *output = t->image;
    V2V_AUTO(mem) char *state = transaction_file(t, "state", err);
    V2V_AUTO(mem) char *dir = v2v_strdup(output, err);
    enum image_recovered what;

    if (state == NULL || dir == NULL)
        return -1;
    if (own_file_exists(state)) {
        if (image_recover(output, NULL, &what, err) < 0)
            return -1;
        warn_of_recovery(output, what);
    }
    if (own_file_exists(output))
        return v2v_refuse(err, V2V_ERR_USAGE, "output-exists",
                          "%s exists already: --output makes a new file",
                          output);
    if (access(dirname(dir), W_OK | X_OK) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: cannot be written: %s", output,
                        strerror(errno));
    return 0;
}

/* A source whose own commit was interrupted is half written. */
static int
check_source(const char *source, const struct stat *st, const char *work_dir,
             struct v2v_error *err)
{
    V2V_AUTO(transaction) struct transaction t = { 0 };

    if (S_ISBLK(st->st_mode) && work_dir == NULL)
        return 0; /* where its state file would be is not known */
    if (transaction_name(source, S_ISBLK(st->st_mode), work_dir, &t, err) < 0)
        return -1;
    if (transaction_load(&t, err) < 0)
        return name_interrupted(err);
    if (t.step != TRANSACTION_COMMITTING)
        return 0;
    return v2v_refuse(err, V2V_ERR_GUEST, "image-interrupted",
                      "its last change was interrupted in the commit; \"v2v-"
                      "virtio recover\" ends it");
}

/* Others may read it, too; nobody may write it meanwhile. */
static int
open_source(struct image *image, const struct stat *st,
            const struct image_options *options, struct v2v_error *err)
{
    int *source = &image->locks[IMAGE_SOURCE_LOCK];

    *source = open(image->source, O_RDONLY | O_CLOEXEC);
    if (*source < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s", strerror(errno));
    if (take_lock(*source, F_RDLCK, err) < 0 ||
        ask_for_qemu(*source, false, err) < 0 ||
        check_source(image->source, st, options->work_dir, err) < 0 ||
        inspect_image(*source, image->source, options->format,
                      IMAGE_COPY_SOURCE, &image->info, err) < 0)
        return -1;
    return check_extents(&image->info.files, false, err);
}

/* A new file is made of it. */
static int
open_for_copy(struct image *image, const struct stat *st,
              const struct image_options *options, struct v2v_error *err)
{
    V2V_AUTO(mem) char *output = NULL;

    if (image_absolute_name(options->output, &output, err) < 0 ||
        transaction_name(output, false, options->work_dir, &image->t, err) <
            0 ||
        check_output(&image->t, err) < 0)
        return -1;
    image->t.copy = true;
    if (lock_copy(image, st, err) < 0)
        return -1;
    return open_source(image, st, options, err);
}

/* Nothing is made of it; where its overlay would be is only asked. */
static int
open_for_reading(struct image *image, const struct stat *st,
                 const struct image_options *options, struct v2v_error *err)
{
    image->is_device = S_ISBLK(st->st_mode);
    image->read_only = true;
    if ((!image->is_device || options->work_dir != NULL) &&
        transaction_name(image->source, image->is_device, options->work_dir,
                         &image->t, err) < 0)
        return -1;
    if (open_source(image, st, options, err) < 0)
        return -1;
    return scratch_make_locked(&image->t.scratch,
                               &image->locks[IMAGE_SCRATCH_LOCK], err);
}

static int
open_as_asked(struct image *image, const struct stat *st,
              const struct image_options *options, struct v2v_error *err)
{
    if (options->read_only)
        return open_for_reading(image, st, options, err);
    if (options->output != NULL)
        return open_for_copy(image, st, options, err);
    return open_in_place(image, st, options, err);
}

static int
open_steps(struct image *image, const char *path,
           const struct image_options *options, struct v2v_error *err)
{
    struct stat st;

    if (find_file(path, &image->source, &st, err) < 0)
        return -1;
    image->writable =
        (st.st_mode & 0222) != 0 && access(image->source, W_OK) == 0;
    if (open_as_asked(image, &st, options, err) < 0)
        return -1;
    for (size_t i = 0; i < image->info.files.count && !image->t.copy; i++)
        if (v2v_strings_add(&image->t.files, image->info.files.items[i], err) <
            0)
            return -1;
    image->t.format =
        v2v_strdup(image->t.copy ? "qcow2" : image->info.format, err);
    return image->t.format == NULL ? -1 : 0;
}

int
image_open(const char *path, const struct image_options *options,
           struct image **ret, struct v2v_error *err)
{
    static const struct image_options defaults;
    V2V_AUTO(image) struct image *image = calloc(1, sizeof *image);

    assert(options == NULL || !options->read_only || options->output == NULL);
    if (image == NULL)
        return v2v_fail_errno(err, errno, "image");
    for (size_t i = 0; i < IMAGE_LOCKS; i++)
        image->locks[i] = -1;
    if (open_steps(image, path, options != NULL ? options : &defaults, err) < 0)
        return v2v_fail_in(err, "%s", path);
    *ret = v2v_steal(image);
    return 0;
}
