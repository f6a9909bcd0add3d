/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/keep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "image/own-file.h"
#include "image/qemu-img.h"
#include "image/record.h"

/* What one area is copied with; the buffers are KEEP_STEP long. */
struct keeper {
    struct nbd_disk *image, *overlay, *undo;
    struct hasher *hasher;
    uint8_t *buf;
};

static int
hash_into(struct hasher *hasher, struct nbd_disk *disk, uint64_t offset,
          uint64_t len, uint8_t *buf, struct digest *ret, struct v2v_error *err)
{
    for (uint64_t done = 0; done < len;) {
        size_t n = keep_step(len - done);

        if (nbd_disk_read(disk, offset + done, buf, n, err) < 0 ||
            hasher_add(hasher, buf, n, err) < 0)
            return -1;
        done += n;
    }
    return hasher_end(hasher, ret, err);
}

int
keep_hash(struct nbd_disk *disk, uint64_t offset, uint64_t len,
          struct digest *ret, struct v2v_error *err)
{
    V2V_AUTO(hasher) struct hasher *hasher = NULL;
    V2V_AUTO(mem) uint8_t *buf = malloc(keep_step(len));

    if (buf == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (hasher_new(&hasher, err) < 0)
        return -1;
    return hash_into(hasher, disk, offset, len, buf, ret, err);
}

/* Zeroes need no place in the undo file: it reads as zeroes where it is
 * empty. */
static int
copy_old(struct keeper *k, uint64_t offset, uint64_t len, struct v2v_error *err)
{
    for (uint64_t done = 0; done < len;) {
        size_t n = keep_step(len - done);

        if (nbd_disk_read(k->image, offset + done, k->buf, n, err) < 0)
            return -1;
        if (!v2v_is_zero(k->buf, n) &&
            nbd_disk_write(k->undo, offset + done, k->buf, n, err) < 0)
            return -1;
        done += n;
    }
    return 0;
}

static int
keep_areas(struct keeper *k, struct record *record, struct v2v_error *err)
{
    V2V_AUTO(image_extents) struct image_extents extents = { 0 };

    if (nbd_disk_extents(k->overlay, &extents, err) < 0)
        return -1;
    for (size_t i = 0; i < extents.count; i++) {
        struct record_area area = { .offset = extents.items[i].offset,
                                    .len = extents.items[i].len };

        if (copy_old(k, area.offset, area.len, err) < 0 ||
            hash_into(k->hasher, k->overlay, area.offset, area.len, k->buf,
                      &area.after, err) < 0 ||
            record_add_area(&record->areas, &area, err) < 0)
            return -1;
        v2v_progress("image", i + 1, extents.count);
    }
    return 0;
}

static int
note_witnesses(struct keeper *k, const struct image_change *change,
               struct record *record, struct v2v_error *err)
{
    for (size_t i = 0; i < change->witness_count; i++) {
        const struct image_witness *w = &change->witnesses[i];
        struct record_area area = { .offset = w->offset, .len = w->len };

        snprintf(area.name, sizeof area.name, "%s", w->name);
        if (hash_into(k->hasher, k->overlay, w->offset, w->len, k->buf,
                      &area.after, err) < 0 ||
            record_add_area(&record->witnesses, &area, err) < 0)
            return -1;
    }
    return 0;
}

static int
make_data_file(const char *path, uint64_t size, struct v2v_error *err)
{
    char text[32];
    const char *argv[] = { "create", "-q", "-f", "qcow2", path, text, NULL };

    snprintf(text, sizeof text, "%" PRIu64, size);
    if (own_file_make(path, err) < 0)
        return -1;
    return qemu_img(argv, NULL, err);
}

static int
fill(const char *path, const struct transaction *t, struct keeper *k,
     const struct image_change *change, struct record *record,
     struct v2v_error *err)
{
    record->virtual_size = nbd_disk_size(k->overlay);
    if (make_data_file(path, record->virtual_size, err) < 0 ||
        nbd_disk_open(t->image, t->format, NBD_READ_ONLY, &t->files, &k->image,
                      err) < 0 ||
        nbd_disk_open(path, "qcow2", NBD_READ_WRITE, NULL, &k->undo, err) < 0 ||
        keep_areas(k, record, err) < 0 ||
        note_witnesses(k, change, record, err) < 0)
        return -1;
    if (nbd_disk_close(v2v_steal(k->undo), err) < 0)
        return -1;
    return v2v_file_flush(path, err);
}

/* The old XML, as it is just before it is replaced. */
static int
keep_xml(const struct transaction *t, const struct image_xml *xml,
         struct record *record, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path = transaction_undo_file(t, t->keeps, ".xml", err);
    V2V_AUTO(bytes) struct v2v_bytes old = { 0 };

    if (path == NULL)
        return -1;
    if (xml->path == NULL)
        return 0;
    record->xml_path = v2v_strdup(xml->path, err);
    if (record->xml_path == NULL ||
        digest_of_bytes(xml->data, xml->len, &record->xml_after, err) < 0)
        return -1;
    record->xml_before = own_file_exists(xml->path);
    if (!record->xml_before)
        return 0;
    if (v2v_file_read(xml->path, IMAGE_XML_MAX, &old, err) < 0 ||
        digest_of_bytes(old.data, old.len, &record->xml_old, err) < 0)
        return -1;
    return v2v_file_replace_private(path, old.data, old.len, err);
}

static int
keep_definition(const struct transaction *t,
                const struct image_definition *definition,
                struct record *record, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path = transaction_undo_file(t, t->keeps, ".domain.xml", err);

    if (path == NULL || definition_copy(definition, &record->domain, err) < 0)
        return -1;
    return definition->domain.uuid == NULL
               ? 0
               : v2v_file_replace_private(path, definition->old,
                                          strlen(definition->old), err);
}

static int
describe(const struct image_change *change, const char *format,
         struct record *record, struct v2v_error *err)
{
    time_t now = time(NULL);
    char text[32];

    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    record->time = v2v_strdup(text, err);
    record->what = v2v_strdup(change->what, err);
    record->format = v2v_strdup(format, err);
    return record->time == NULL || record->what == NULL ||
                   record->format == NULL
               ? -1
               : 0;
}

int
keep_undo(const struct transaction *t, struct nbd_disk *overlay,
          const struct image_change *change, struct v2v_error *err)
{
    V2V_AUTO(mem) char *data = transaction_undo_file(t, t->keeps, "", err);
    V2V_AUTO(mem)
    char *path = transaction_undo_file(t, t->keeps, ".json", err);
    V2V_AUTO(record) struct record record = { 0 };
    V2V_AUTO(mem) uint8_t *buf = malloc(KEEP_STEP);
    struct keeper k = { .overlay = overlay, .buf = buf };
    int result = -1;

    if (data == NULL || path == NULL || buf == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (hasher_new(&k.hasher, err) == 0)
        result = fill(data, t, &k, change, &record, err);
    nbd_disk_abandon(k.image);
    nbd_disk_abandon(k.undo);
    hasher_free(k.hasher);
    if (result < 0 || digest_of_file(data, &record.data, err) < 0 ||
        keep_xml(t, &change->xml, &record, err) < 0 ||
        keep_definition(t, &change->definition, &record, err) < 0 ||
        describe(change, t->format, &record, err) < 0)
        return -1;
    return record_write(path, &record, err);
}
