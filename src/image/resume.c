/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/resume.h"

#include <inttypes.h>
#include <string.h>

#include "image/keep.h"
#include "image/own-file.h"
#include "image/qemu-img.h"
#include "image/record.h"
#include "image/rewind.h"

/* What a disk writes at once or not at all. */
enum { SECTOR = 512 };

struct three_disks {
    struct nbd_disk *image, *overlay, *undo;
    uint8_t *image_buf, *overlay_buf, *undo_buf; /* KEEP_STEP each */
};

static int
gone(const char *path, struct v2v_error *err)
{
    return v2v_refuse(
        err, V2V_ERR_GUEST, "commit-lost",
        "a commit was interrupted and %s is gone: the image may be "
        "half written",
        path);
}

static int
open_all(const struct transaction *t, struct three_disks *d,
         struct v2v_error *err)
{
    V2V_AUTO(mem) char *overlay = transaction_file(t, "overlay", err);
    V2V_AUTO(mem) char *undo = transaction_undo_file(t, t->keeps, "", err);

    if (overlay == NULL || undo == NULL)
        return -1;
    if (!own_file_exists(overlay) || !own_file_exists(undo))
        return gone(own_file_exists(overlay) ? undo : overlay, err);
    if (nbd_disk_open(t->image, t->format, NBD_READ_ONLY, &t->files, &d->image,
                      err) < 0 ||
        nbd_disk_open(overlay, "qcow2", NBD_READ_ONLY, &t->files, &d->overlay,
                      err) < 0 ||
        nbd_disk_open(undo, "qcow2", NBD_READ_ONLY, NULL, &d->undo, err) < 0)
        return -1;
    d->image_buf = malloc(KEEP_STEP);
    d->overlay_buf = malloc(KEEP_STEP);
    d->undo_buf = malloc(KEEP_STEP);
    if (d->image_buf == NULL || d->overlay_buf == NULL || d->undo_buf == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    return 0;
}

static void
close_all(struct three_disks *d)
{
    nbd_disk_abandon(d->image);
    nbd_disk_abandon(d->overlay);
    nbd_disk_abandon(d->undo);
    free(d->image_buf);
    free(d->overlay_buf);
    free(d->undo_buf);
}

/* Sectors in the buffers that are neither old nor new. */
static uint64_t
count_foreign(const struct three_disks *d, size_t len)
{
    uint64_t foreign = 0;

    for (size_t at = 0; at < len; at += SECTOR) {
        size_t n = len - at < SECTOR ? len - at : (size_t)SECTOR;

        foreign += memcmp(d->image_buf + at, d->overlay_buf + at, n) != 0 &&
                   memcmp(d->image_buf + at, d->undo_buf + at, n) != 0;
    }
    return foreign;
}

static int
check_area(const struct three_disks *d, const struct record_area *area,
           uint64_t *foreign, struct v2v_error *err)
{
    for (uint64_t done = 0; done < area->len;) {
        size_t n = keep_step(area->len - done);
        uint64_t at = area->offset + done;

        if (nbd_disk_read(d->image, at, d->image_buf, n, err) < 0 ||
            nbd_disk_read(d->overlay, at, d->overlay_buf, n, err) < 0 ||
            nbd_disk_read(d->undo, at, d->undo_buf, n, err) < 0)
            return -1;
        *foreign += count_foreign(d, n);
        done += n;
    }
    return 0;
}

static bool
touches(const struct record_areas *areas, const struct record_area *witness)
{
    for (size_t i = 0; i < areas->count; i++) {
        const struct record_area *area = &areas->items[i];

        if (area->offset < witness->offset + witness->len &&
            witness->offset < area->offset + area->len)
            return true;
    }
    return false;
}

static int
check_witness(const struct three_disks *d, const struct record_area *witness,
              uint64_t *foreign, struct v2v_error *err)
{
    struct digest now;

    if (keep_hash(d->image, witness->offset, witness->len, &now, err) < 0)
        return -1;
    *foreign += !digest_equal(&now, &witness->after);
    return 0;
}

static int
compare(const struct three_disks *d, const struct record *record,
        uint64_t *foreign, struct v2v_error *err)
{
    *foreign = nbd_disk_size(d->image) != record->virtual_size;
    if (*foreign > 0)
        return 0;
    for (size_t i = 0; i < record->areas.count; i++)
        if (check_area(d, &record->areas.items[i], foreign, err) < 0)
            return -1;
    for (size_t i = 0; i < record->witnesses.count; i++)
        if (!touches(&record->areas, &record->witnesses.items[i]) &&
            check_witness(d, &record->witnesses.items[i], foreign, err) < 0)
            return -1;
    return 0;
}

static int
compare_all(const struct transaction *t, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path = transaction_undo_file(t, t->keeps, ".json", err);
    V2V_AUTO(record) struct record record = { 0 };
    struct three_disks disks = { 0 };
    uint64_t foreign = 0;
    int result = -1;

    if (path == NULL || record_read(path, &record, err) < 0)
        return -1;
    if (open_all(t, &disks, err) == 0)
        result = compare(&disks, &record, &foreign, err);
    close_all(&disks);
    if (result < 0 || foreign == 0)
        return result;
    return v2v_refuse(
        err, V2V_ERR_GUEST, "commit-stale",
        "a commit was interrupted, and the image has been written "
        "by others since (%" PRIu64 " places): it is not repeated. "
        " If the image is as you want it, delete %s.v2v-state and "
        "%s.v2v-overlay",
        foreign, t->prefix, t->overlay_prefix);
}

/* Are the image's tables half written?  Then nothing can have used them. */
static bool
is_torn(const struct transaction *t)
{
    const char *argv[] = { "check", "-q", "-f", t->format, t->image, NULL };

    return qemu_img(argv, NULL, NULL) < 0;
}

/* The tables go back in any case, with the commit; sound ones not before it is
 * known that they are not a guest's. */
int
resume_check(const struct transaction *t, struct v2v_error *err)
{
    V2V_AUTO(mem) char *rewind = transaction_file(t, "rewind", err);

    if (rewind == NULL)
        return -1;
    if (!rewind_is_needed(t->format))
        return compare_all(t, err);
    if (!own_file_exists(rewind))
        return gone(rewind, err);
    if (is_torn(t) && rewind_restore(t->image, rewind, err) < 0)
        return -1;
    return compare_all(t, err);
}
