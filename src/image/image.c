/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/image.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/text.h"
#include "image/image-private.h"
#include "image/keep.h"
#include "image/own-file.h"
#include "image/qemu-img.h"
#include "image/rewind.h"
#include "image/scratch.h"

const char *
image_format(const struct image *image)
{
    return image->info.format;
}

const char *
image_overlay_path(const struct image *image)
{
    return image->overlay;
}

const char *
image_disk_path(const struct image *image)
{
    return image->read_only ? image->source : image->overlay;
}

const char *
image_disk_format(const struct image *image)
{
    return image->read_only ? image->info.format : "qcow2";
}

const struct v2v_strings *
image_files(const struct image *image)
{
    return &image->info.files;
}

const char *
image_scratch(const struct image *image)
{
    return image->t.scratch;
}

void
image_sweep(void)
{
    scratch_sweep();
}

const char *
image_undo_file(const struct image *image)
{
    return image->undo_file;
}

/* Of an absolute name, which dirname() cuts in place. */
static char *
folder_of(const char *path, struct v2v_error *err)
{
    char *folder = v2v_strdup(path, err);

    if (folder != NULL)
        dirname(folder);
    return folder;
}

static int
free_space(const char *folder, uint64_t *ret, struct v2v_error *err)
{
    struct statvfs st;

    if (folder == NULL)
        return -1;
    if (statvfs(folder, &st) < 0)
        return v2v_fail_errno(err, errno, "%s", folder);
    *ret = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}

static int
check_free_space(const char *path, uint64_t needed, struct v2v_error *err)
{
    V2V_AUTO(mem) char *folder = folder_of(path, err);
    uint64_t avail;

    if (free_space(folder, &avail, err) < 0)
        return -1;
    if (avail < needed)
        return v2v_refuse(err, V2V_ERR_INTERNAL, "host-full",
                          "%s: %" PRIu64 " MiB are free, %" PRIu64
                          " MiB are needed",
                          folder, avail >> 20, needed >> 20);
    return 0;
}

/* What is known of it without looking into it ---------------------------- */

static int
add_snapshots(const struct v2v_strings *names, struct image_about *ret,
              struct v2v_error *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (v2v_strings_add(&ret->snapshots, names->items[i], err) < 0)
            return -1;
    return 0;
}

/* The small files may be elsewhere than the overlay. */
static int
find_host_free(const struct transaction *t, uint64_t *ret,
               struct v2v_error *err)
{
    const char *prefixes[] = { t->overlay_prefix, t->prefix };

    *ret = UINT64_MAX;
    for (size_t i = 0; i < 2 && prefixes[i] != NULL; i++) {
        V2V_AUTO(mem) char *folder = folder_of(prefixes[i], err);
        uint64_t avail;

        if (free_space(folder, &avail, err) < 0)
            return -1;
        *ret = avail < *ret ? avail : *ret;
    }
    return 0;
}

int
image_about(const struct image *image, struct image_about *ret,
            struct v2v_error *err)
{
    const struct image_info *info = &image->info;

    *ret = (struct image_about){ .format = info->format,
                                 .probed_raw = info->probed_raw,
                                 .virtual_size = info->virtual_size,
                                 .host_needed = IMAGE_FREE_SPACE_MIN,
                                 .writable = image->writable,
                                 .copy_only = info->copy_only };
    if (find_host_free(&image->t, &ret->host_free, err) < 0)
        return -1;
    return add_snapshots(&info->snapshots, ret, err);
}

void
image_about_done(struct image_about *about)
{
    v2v_strings_done(&about->snapshots);
    *about = (struct image_about){ 0 };
}

/* Overlay ---------------------------------------------------------------- */

/* The number after the last; the lock keeps it ours. */
static int
choose_undo_file(struct image *image, bool keep_undo, struct v2v_error *err)
{
    struct transaction *t = &image->t;

    if (undo_last_number(t, &t->keeps, err) < 0)
        return -1;
    t->keeps++;
    t->retains = keep_undo;
    if (!keep_undo)
        return 0;
    image->undo_file = transaction_undo_file(t, t->keeps, "", err);
    return image->undo_file == NULL ? -1 : 0;
}

/* Clusters as large as the image's: then what the overlay has is what the
 * image has to make room for. */
static int
make_overlay(struct image *image, struct v2v_error *err)
{
    V2V_AUTO(mem) char *overlay = transaction_file(&image->t, "overlay", err);
    char clusters[48] = "cluster_size=65536"; /* as is QEMU's own choice */
    const char *argv[] = { "create", "-q",          "-f",    "qcow2",
                           "-o",     clusters,      "-F",    image->info.format,
                           "-b",     image->source, overlay, NULL };
    struct v2v_error why = { 0 };

    if (image->info.cluster_size != 0)
        snprintf(clusters, sizeof clusters, "cluster_size=%" PRIu64,
                 image->info.cluster_size);
    if (overlay == NULL || own_file_make(overlay, err) < 0)
        return -1;
    if (qemu_img(argv, NULL, &why) < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s: %s", overlay, why.text);
    image->overlay = v2v_steal(overlay);
    return 0;
}

int
image_overlay_create(struct image *image, bool keep_undo, struct v2v_error *err)
{
    struct transaction *t = &image->t;

    assert(!image->read_only);
    if (check_free_space(t->overlay_prefix, IMAGE_FREE_SPACE_MIN, err) < 0 ||
        check_free_space(t->prefix, IMAGE_FREE_SPACE_MIN, err) < 0 ||
        (!t->copy && choose_undo_file(image, keep_undo, err) < 0) ||
        scratch_name(&t->scratch, err) < 0 ||
        transaction_enter(t, TRANSACTION_PREPARING, err) < 0 ||
        scratch_make(t->scratch, err) < 0 || make_overlay(image, err) < 0)
        return v2v_fail_in(err, "overlay");
    return 0;
}

int
image_overlay_disk(struct image *image, struct nbd_disk **ret,
                   struct v2v_error *err)
{
    if (image->overlay_disk == NULL &&
        nbd_disk_open(image_disk_path(image), image_disk_format(image),
                      NBD_READ_ONLY, &image->info.files, &image->overlay_disk,
                      err) < 0)
        return -1;
    *ret = image->overlay_disk;
    return 0;
}

int
image_overlay_reader(struct image *image, struct disk_reader *ret,
                     struct v2v_error *err)
{
    struct nbd_disk *disk = NULL;

    if (image_overlay_disk(image, &disk, err) < 0)
        return -1;
    *ret = nbd_disk_reader(disk);
    return 0;
}

/* Commit ---------------------------------------------------------------- */

static uint64_t
end_of(const struct image_extent *extent)
{
    return extent->offset + extent->len;
}

/* Bytes that are in both lists, which are ascending. */
static uint64_t
overlap(const struct image_extents *a, const struct image_extents *b)
{
    uint64_t sum = 0;

    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        const struct image_extent *x = &a->items[i], *y = &b->items[j];
        uint64_t from = x->offset > y->offset ? x->offset : y->offset;
        uint64_t to = end_of(x) < end_of(y) ? end_of(x) : end_of(y);

        sum += from < to ? to - from : 0;
        if (end_of(x) < end_of(y))
            i++;
        else
            j++;
    }
    return sum;
}

/* What the image has to make room for: clusters that only the overlay has, and
 * for each run of them, at most, one more for the tables that lead there. */
static int
room_needed(struct image *image, uint64_t *ret, struct v2v_error *err)
{
    V2V_AUTO(nbd_disk) struct nbd_disk *base = NULL;
    V2V_AUTO(image_extents) struct image_extents new = { 0 };
    V2V_AUTO(image_extents) struct image_extents old = { 0 };
    struct nbd_disk *overlay = NULL;
    uint64_t total = 0;

    if (image_overlay_disk(image, &overlay, err) < 0 ||
        nbd_disk_open(image->source, image->info.format, NBD_READ_ONLY,
                      &image->info.files, &base, err) < 0 ||
        nbd_disk_extents(overlay, &new, err) < 0 ||
        nbd_disk_extents(base, &old, err) < 0)
        return -1;
    for (size_t i = 0; i < new.count; i++)
        total += new.items[i].len;
    *ret = total - overlap(&new, &old);
    if (*ret > 0)
        *ret += new.count * image->info.cluster_size;
    return 0;
}

/* A qcow2 on a block device cannot grow beyond it. */
static int
check_room(struct image *image, struct v2v_error *err)
{
    uint64_t needed = 0;

    if (image->info.room == UINT64_MAX)
        return 0;
    if (room_needed(image, &needed, err) < 0)
        return -1;
    if (needed <= image->info.room)
        return 0;
    return v2v_refuse(err, V2V_ERR_GUEST, "host-full",
                      "the device is too small: %" PRIu64
                      " MiB are left behind "
                      "the image, and up to %" PRIu64 " MiB are needed",
                      image->info.room >> 20, (needed >> 20) + 1);
}

/* What the overlay has may all have to be added to the image. */
static int
check_space_to_commit(struct image *image, struct v2v_error *err)
{
    static const uint64_t slack = 16 << 20;
    struct stat st;

    if (image->is_device)
        return check_room(image, err);
    if (stat(image->overlay, &st) < 0)
        return v2v_fail_errno(err, errno, "%s", image->overlay);
    return check_free_space(image->t.image,
                            (uint64_t)st.st_blocks * 512 + slack, err);
}

/* --output: overlay and image become one new file. */
static int
make_copy(struct image *image, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = transaction_file(&image->t, "copy", err);
    const char *argv[] = { "convert", "-p",           "-f", "qcow2", "-O",
                           "qcow2",   image->overlay, copy, NULL };

    if (copy == NULL)
        return -1;
    v2v_step("image", "commit", "Copying to %s", image->t.image);
    if (qemu_img_watched(argv, err) < 0)
        return -1;
    return v2v_file_flush(copy, err);
}

static int
save_tables(const struct image *image, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = transaction_file(&image->t, "rewind", err);

    return path == NULL
               ? -1
               : rewind_save(image->source, image->info.format, path, err);
}

static int
keep_or_copy(struct image *image, const struct image_change *change,
             struct v2v_error *err)
{
    struct nbd_disk *overlay = NULL;

    if (image->t.copy)
        return make_copy(image, err);
    if (check_space_to_commit(image, err) < 0)
        return -1;
    if (save_tables(image, err) < 0 ||
        image_overlay_disk(image, &overlay, err) < 0)
        return -1;
    return keep_undo(&image->t, overlay, change, err);
}

/* Whole, for whoever comes after a crash. */
static int
save_xml(struct image *image, const struct image_xml *xml,
         struct v2v_error *err)
{
    struct transaction *t = &image->t;
    V2V_AUTO(mem) char *pending = transaction_file(t, "xml", err);

    if (pending == NULL)
        return -1;
    if (xml->path == NULL)
        return 0;
    t->xml = v2v_strdup(xml->path, err);
    t->xml_removed = xml->removed;
    if (t->xml == NULL)
        return -1;
    return xml->removed ? 0
                        : v2v_file_replace_like(pending, xml->like, xml->data,
                                                xml->len, err);
}

static int
save_definition(struct image *image, const struct image_definition *definition,
                struct v2v_error *err)
{
    struct transaction *t = &image->t;
    V2V_AUTO(mem) char *pending = transaction_file(t, "domain", err);
    V2V_AUTO(mem) char *stale = transaction_file(t, "domain.xml", err);

    if (pending == NULL || stale == NULL)
        return -1;
    if (definition->domain.uuid == NULL)
        return 0;
    t->domain_kept = definition->kept;
    if (definition_copy(definition, &t->domain, err) < 0 ||
        own_file_delete(stale, err) < 0)
        return -1;
    return v2v_file_replace_private(pending, definition->xml,
                                    strlen(definition->xml), err);
}

/* Everything of which the only other copy is about to change is on the disk,
 * with its name, before the state file says "committing". */
static int
prepare_commit(struct image *image, const struct image_change *change,
               struct v2v_error *err)
{
    int result = keep_or_copy(image, change, err);

    nbd_disk_abandon(v2v_steal(image->overlay_disk)); /* QEMU's lock */
    if (result < 0 || save_xml(image, &change->xml, err) < 0 ||
        save_definition(image, &change->definition, err) < 0 ||
        v2v_file_flush(image->overlay, err) < 0 ||
        v2v_sync_directory_of(image->overlay, err) < 0)
        return -1;
    return transaction_enter(&image->t, TRANSACTION_COMMITTING, err);
}

/* A virtual machine was faster: QEMU got no lock and changed nothing. */
static int
give_up(struct image *image)
{
    if (transaction_enter(&image->t, TRANSACTION_PREPARING, NULL) == 0)
        transaction_discard(&image->t, NULL);
    return -1;
}

int
image_commit(struct image *image, const struct image_change *change,
             struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    assert(!image->read_only);
    if (prepare_commit(image, change, err) < 0)
        return v2v_fail_in(err, "before the commit (the image is as it was)");
    if (transaction_finish(&image->t, &why) == 0) {
        free(v2v_steal(image->overlay));
        return 0;
    }
    if (err != NULL)
        *err = why;
    if (image->t.step == TRANSACTION_NONE) { /* all but the definition */
        free(v2v_steal(image->overlay));
        return -1;
    }
    if (why.code == V2V_ERR_BUSY && image->t.step == TRANSACTION_COMMITTING)
        return give_up(image);
    return v2v_fail_in(err, "the commit was begun and did not end; "
                            "\"v2v-virtio recover\" ends it");
}

/* Files that nobody needs when we are gone.  The file of a copy is there, as
 * its lock, before there is a state file. */
static bool
has_own_files(const struct image *image)
{
    return image->t.step == TRANSACTION_PREPARING ||
           (image->t.step == TRANSACTION_NONE && image->t.copy &&
            image->locks[IMAGE_LOCK] >= 0);
}

void
image_close(struct image *image)
{
    struct v2v_error err = { 0 };

    if (image == NULL)
        return;
    nbd_disk_abandon(image->overlay_disk);
    if (image->read_only)
        scratch_delete(image->t.scratch);
    if (has_own_files(image) && transaction_discard(&image->t, &err) < 0)
        v2v_warn("image", "not-cleaned-up", "%s", err.text);
    for (size_t i = 0; i < IMAGE_LOCKS; i++)
        if (image->locks[i] >= 0)
            close(image->locks[i]);
    transaction_done(&image->t);
    image_info_done(&image->info);
    free(image->source);
    free(image->overlay);
    free(image->undo_file);
    free(image);
}
