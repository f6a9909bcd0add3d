/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/undo.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "image/image-private.h"
#include "image/keep.h"
#include "image/own-file.h"
#include "image/record.h"

/* Listing ---------------------------------------------------------------- */

/* N of "vm.qcow2.v2v-undo-N.json", the image being "vm.qcow2"; 0: another file.
 */
static unsigned
number_of(const char *name, const char *image)
{
    size_t len = strlen(image);
    unsigned number = 0;
    int end = 0;

    if (strncmp(name, image, len) != 0 ||
        sscanf(name + len, ".v2v-undo-%9u.json%n", &number, &end) != 1 ||
        end == 0 || name[len + (size_t)end] != '\0')
        return 0;
    return number;
}

int
undo_last_number(const struct transaction *t, unsigned *ret,
                 struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = v2v_strdup(t->prefix, err);
    const char *image = v2v_base_name(t->prefix);
    DIR *dir;

    *ret = 0;
    if (copy == NULL)
        return -1;
    dir = opendir(dirname(copy));
    if (dir == NULL)
        return v2v_fail_errno(err, errno, "%s", copy);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        unsigned number = number_of(entry->d_name, image);

        *ret = number > *ret ? number : *ret;
    }
    closedir(dir);
    return 0;
}

static uint64_t
size_on_disk(const struct transaction *t, unsigned n)
{
    static const char *const suffixes[] = { "", ".json", ".xml",
                                            ".domain.xml" };
    uint64_t size = 0;

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        V2V_AUTO(mem)
        char *path = transaction_undo_file(t, n, suffixes[i], NULL);
        struct stat st;

        if (path != NULL && stat(path, &st) == 0)
            size += (uint64_t)st.st_blocks * 512;
    }
    return size;
}

static int
add_undo(const struct transaction *t, unsigned n, struct image_undo_list *ret,
         struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = transaction_undo_file(t, n, ".json", err);
    V2V_AUTO(record) struct record record = { 0 };
    struct image_undo *items;

    if (path == NULL)
        return -1;
    if (!own_file_exists(path))
        return 0;
    if (record_read(path, &record, err) < 0)
        return -1;
    items = reallocarray(ret->items, ret->count + 1, sizeof *items);
    if (items == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    ret->items = items;
    items[ret->count++] =
        (struct image_undo){ .number = n,
                             .time = v2v_steal(record.time),
                             .what = v2v_steal(record.what),
                             .file = transaction_undo_file(t, n, "", err),
                             .domain = v2v_steal(record.domain.name),
                             .domain_uri = v2v_steal(record.domain.uri),
                             .size = size_on_disk(t, n) };
    return items[ret->count - 1].file == NULL ? -1 : 0;
}

int
image_undo_list(const char *path, const char *work_dir,
                struct image_undo_list *ret, struct v2v_error *err)
{
    V2V_AUTO(transaction) struct transaction t = { 0 };
    V2V_AUTO(mem) char *image = realpath(path, NULL);
    struct stat st = { 0 };
    unsigned last;

    if (image == NULL || stat(image, &st) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", path, strerror(errno));
    if (transaction_name(image, S_ISBLK(st.st_mode), work_dir, &t, err) < 0)
        return -1;
    if (undo_last_number(&t, &last, err) < 0)
        return -1;
    for (unsigned n = 1; n <= last; n++)
        if (add_undo(&t, n, ret, err) < 0)
            return -1;
    return 0;
}

void
image_undo_list_done(struct image_undo_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].time);
        free(list->items[i].what);
        free(list->items[i].file);
        free(list->items[i].domain);
        free(list->items[i].domain_uri);
    }
    free(list->items);
    *list = (struct image_undo_list){ 0 };
}

/* Checking --------------------------------------------------------------- */

static int
count_changed(struct nbd_disk *disk, const struct record_areas *areas,
              size_t *ret, struct v2v_error *err)
{
    *ret = 0;
    for (size_t i = 0; i < areas->count; i++) {
        const struct record_area *area = &areas->items[i];
        struct digest now;

        if (keep_hash(disk, area->offset, area->len, &now, err) < 0)
            return -1;
        *ret += !digest_equal(&now, &area->after);
        if (areas->count > 1) /* a witness alone is no progress */
            v2v_progress("image", i + 1, areas->count);
    }
    return 0;
}

/* The names of those witnesses that differ, after one another. */
static int
name_changed(struct nbd_disk *disk, const struct record_areas *witnesses,
             struct v2v_bytes *ret, struct v2v_error *err)
{
    for (size_t i = 0; i < witnesses->count; i++) {
        const struct record_areas one = { &witnesses->items[i], 1 };
        size_t changed;

        if (count_changed(disk, &one, &changed, err) < 0)
            return -1;
        if (changed > 0 &&
            v2v_bytes_printf(ret, err, "%s, ", witnesses->items[i].name) < 0)
            return -1;
    }
    return 0;
}

static int
check_unchanged(struct nbd_disk *disk, const struct record *record,
                struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    uint64_t size = nbd_disk_size(disk);
    size_t changed;

    if (size != record->virtual_size)
        return v2v_refuse(err, V2V_ERR_GUEST, "undo-changed",
                          "the disk had %" PRIu64 " bytes after the change and "
                          "has %" PRIu64 " now: nothing is undone",
                          record->virtual_size, size);
    if (name_changed(disk, &record->witnesses, &names, err) < 0 ||
        count_changed(disk, &record->areas, &changed, err) < 0)
        return -1;
    if (names.len == 0 && changed == 0)
        return 0;
    return v2v_refuse(err, V2V_ERR_GUEST, "undo-changed",
                      "the guest has run or its disk was written since the "
                      "change of %s, and an undo would destroy it: changed are "
                      "%.*s%zu of %zu areas",
                      record->time, (int)names.len,
                      names.len > 0 ? (const char *)names.data : "", changed,
                      record->areas.count);
}

static int
check_undo_file(const char *path, const struct record *record,
                struct v2v_error *err)
{
    struct digest now;

    if (!own_file_exists(path))
        return v2v_refuse(err, V2V_ERR_GUEST, "undo-damaged",
                          "the undo file %s is gone", path);
    if (digest_of_file(path, &now, err) < 0)
        return -1;
    if (!digest_equal(&now, &record->data))
        return v2v_refuse(err, V2V_ERR_GUEST, "undo-damaged",
                          "the undo file %s is damaged: its SHA-256 is not the "
                          "recorded one",
                          path);
    return 0;
}

/* Carrying out ----------------------------------------------------------- */

static int
copy_area(struct nbd_disk *from, struct nbd_disk *to, uint64_t offset,
          uint64_t len, uint8_t *buf, struct v2v_error *err)
{
    for (uint64_t done = 0; done < len;) {
        size_t n = keep_step(len - done);

        if (nbd_disk_read(from, offset + done, buf, n, err) < 0 ||
            nbd_disk_write(to, offset + done, buf, n, err) < 0)
            return -1;
        done += n;
    }
    return 0;
}

static int
fill_overlay(struct image *image, const char *undo_file,
             const struct record *record, uint64_t *bytes,
             struct v2v_error *err)
{
    V2V_AUTO(nbd_disk) struct nbd_disk *from = NULL;
    V2V_AUTO(nbd_disk) struct nbd_disk *to = NULL;
    V2V_AUTO(mem) uint8_t *buf = malloc(KEEP_STEP);

    if (buf == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (nbd_disk_open(undo_file, "qcow2", NBD_READ_ONLY, NULL, &from, err) <
            0 ||
        nbd_disk_open(image->overlay, "qcow2", NBD_READ_WRITE,
                      &image->info.files, &to, err) < 0)
        return -1;
    for (size_t i = 0; i < record->areas.count; i++) {
        const struct record_area *area = &record->areas.items[i];

        if (copy_area(from, to, area->offset, area->len, buf, err) < 0)
            return -1;
        *bytes += area->len;
    }
    return nbd_disk_close(v2v_steal(to), err);
}

/* Is it still what the change wrote, and can it be replaced?  One that is gone
 * can. */
static bool
is_ours(const struct record *record)
{
    V2V_AUTO(mem) char *dir = v2v_strdup(record->xml_path, NULL);
    struct digest now;
    struct stat st;

    if (dir == NULL || access(dirname(dir), W_OK | X_OK) < 0)
        return false;
    if (lstat(record->xml_path, &st) < 0)
        return errno == ENOENT;
    return S_ISREG(st.st_mode) &&
           digest_of_file(record->xml_path, &now, NULL) == 0 &&
           digest_equal(&now, &record->xml_after);
}

static int
read_old_xml(const struct transaction *t, unsigned number, const char *suffix,
             const struct digest *recorded, struct v2v_bytes *ret,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *saved = transaction_undo_file(t, number, suffix, err);
    struct digest now;

    if (saved == NULL)
        return -1;
    if (!own_file_exists(saved))
        return v2v_refuse(err, V2V_ERR_GUEST, "undo-damaged",
                          "the old XML %s is gone", saved);
    if (v2v_file_read(saved, IMAGE_XML_MAX, ret, err) < 0 ||
        digest_of_bytes(ret->data, ret->len, &now, err) < 0)
        return -1;
    if (!digest_equal(&now, recorded))
        return v2v_refuse(err, V2V_ERR_GUEST, "undo-damaged",
                          "the old XML %s is damaged: its SHA-256 is not the "
                          "recorded one",
                          saved);
    return 0;
}

/* What becomes of the XML.  One that others have changed since is theirs. */
static int
plan_xml(const struct transaction *t, const struct record *record,
         struct v2v_bytes *old, struct image_undone *undone,
         struct image_xml *ret, struct v2v_error *err)
{
    if (record->xml_path == NULL)
        return 0;
    undone->xml = v2v_strdup(record->xml_path, err);
    if (undone->xml == NULL ||
        (record->xml_before && read_old_xml(t, undone->number, ".xml",
                                            &record->xml_old, old, err) < 0))
        return -1;
    undone->xml_kept = !is_ours(record);
    undone->xml_removed = !record->xml_before;
    if (undone->xml_kept && undone->xml_removed)
        return 0;
    *ret = (struct image_xml){ .path = undone->xml,
                               .data = old->data,
                               .len = old->len,
                               .removed = undone->xml_removed,
                               .like = undone->xml };
    if (!undone->xml_kept)
        return 0;
    undone->xml_old = v2v_format(err, "%s.v2v-old.xml", t->prefix);
    ret->path = undone->xml_old;
    ret->like = NULL;
    return undone->xml_old == NULL ? -1 : 0;
}

/* How the definition stands; @now: as definition_read() gave it, or NULL. */
static int
compare_definition(const struct record *record, const char *now, bool *is_ours,
                   bool *is_old, struct v2v_error *err)
{
    struct digest digest;

    *is_ours = *is_old = false;
    if (now == NULL)
        return 0;
    if (digest_of_bytes(now, strlen(now), &digest, err) < 0)
        return -1;
    *is_ours =
        record->domain_defined && digest_equal(&digest, &record->domain_after);
    *is_old = digest_equal(&digest, &record->domain.before);
    return 0;
}

/* A domain that was deleted since has no definition to be restored. */
static int
read_definition(const struct record *record, char **ret, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (definition_read(&record->domain, ret, &why) == 0 ||
        why.code == V2V_ERR_NOT_FOUND)
        return 0;
    if (err != NULL)
        *err = why;
    return -1;
}

/* What becomes of the definition, as plan_xml().  @now and @old: the texts
 * that @ret refers to. */
static int
plan_definition(const struct transaction *t, const struct record *record,
                char **now, struct v2v_bytes *old, struct image_undone *undone,
                struct image_definition *ret, struct v2v_error *err)
{
    bool is_ours, is_old;

    if (record->domain.uuid == NULL)
        return 0;
    undone->domain = v2v_strdup(record->domain.name, err);
    undone->domain_uri = v2v_strdup(record->domain.uri, err);
    if (undone->domain == NULL || undone->domain_uri == NULL ||
        read_old_xml(t, undone->number, ".domain.xml", &record->domain.before,
                     old, err) < 0 ||
        v2v_bytes_add(old, "", 1, err) < 0 ||
        read_definition(record, now, err) < 0 ||
        compare_definition(record, *now, &is_ours, &is_old, err) < 0)
        return -1;
    if (is_old)
        return 0;
    *ret = (struct image_definition){ .domain = { record->domain.uri,
                                                  record->domain.uuid,
                                                  record->domain.name },
                                      .old = *now != NULL ? *now : "",
                                      .xml = (const char *)old->data,
                                      .kept = !is_ours };
    if (is_ours)
        return 0;
    undone->domain_kept = true;
    undone->domain_old = transaction_file(t, "old-domain.xml", err);
    return undone->domain_old == NULL ? -1 : 0;
}

static int
check_all(const struct image *image, const char *undo_file,
          const struct record *record, struct v2v_error *err)
{
    V2V_AUTO(nbd_disk) struct nbd_disk *disk = NULL;

    /* a raw image whose guest has written the header of another format */
    if (strcmp(record->format, image->info.format) != 0)
        return v2v_refuse(err, V2V_ERR_GUEST, "undo-format",
                          "the image was %s when it was changed and looks like "
                          "%s now: if it is still %s, say so with --format",
                          record->format, image->info.format, record->format);
    if (check_undo_file(undo_file, record, err) < 0 ||
        nbd_disk_open(image->source, image->info.format, NBD_READ_ONLY,
                      &image->info.files, &disk, err) < 0)
        return -1;
    return check_unchanged(disk, record, err);
}

static int
load_last(struct transaction *t, struct record *record, char **undo_file,
          struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = NULL;
    unsigned number;

    if (undo_last_number(t, &number, err) < 0)
        return -1;
    if (number == 0)
        return v2v_refuse(
            err, V2V_ERR_USAGE, "undo-none",
            "nothing to undo: there is no file %s.v2v-undo-N.json", t->prefix);
    path = transaction_undo_file(t, number, ".json", err);
    *undo_file = transaction_undo_file(t, number, "", err);
    if (path == NULL || *undo_file == NULL ||
        record_read(path, record, err) < 0)
        return -1;
    t->spends = number;
    return 0;
}

int
image_undo(struct image *image, struct image_undone *ret, struct v2v_error *err)
{
    V2V_AUTO(record) struct record record = { 0 };
    V2V_AUTO(mem) char *undo_file = NULL;
    V2V_AUTO(bytes) struct v2v_bytes old_xml = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes old_definition = { 0 };
    V2V_AUTO(mem) char *definition = NULL;
    struct image_change change = { .what = "undo" };

    if (load_last(&image->t, &record, &undo_file, err) < 0)
        return -1;
    ret->number = image->t.spends;
    if (plan_definition(&image->t, &record, &definition, &old_definition, ret,
                        &change.definition, err) < 0)
        return -1;
    v2v_step("image", "compare", "Checking that nothing has changed since %s",
             record.time);
    if (check_all(image, undo_file, &record, err) < 0 ||
        plan_xml(&image->t, &record, &old_xml, ret, &change.xml, err) < 0 ||
        image_overlay_create(image, false, err) < 0 ||
        fill_overlay(image, undo_file, &record, &ret->bytes, err) < 0)
        return -1;
    v2v_step("image", "restore", "Bringing back %zu areas, %" PRIu64 " KiB",
             record.areas.count, ret->bytes >> 10);
    return image_commit(image, &change, err);
}

void
image_undone_done(struct image_undone *undone)
{
    free(undone->xml);
    free(undone->xml_old);
    free(undone->domain);
    free(undone->domain_uri);
    free(undone->domain_old);
    *undone = (struct image_undone){ 0 };
}
