/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/image.h"
#include "image/own-file.h"
#include "image/qemu-img.h"
#include "image/record.h"
#include "image/rewind.h"
#include "image/scratch.h"
#include "image/state.h"

char *
transaction_file(const struct transaction *t, const char *what,
                 struct v2v_error *err)
{
    const char *prefix =
        strcmp(what, "overlay") == 0 ? t->overlay_prefix : t->prefix;

    return v2v_format(err, "%s.v2v-%s", prefix, what);
}

char *
transaction_undo_file(const struct transaction *t, unsigned n,
                      const char *suffix, struct v2v_error *err)
{
    return v2v_format(err, "%s.v2v-undo-%u%s", t->prefix, n, suffix);
}

/* FNV-1a: two images of one name must not share files in a work directory. */
static uint64_t
hash_of(const char *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *s != '\0'; s++)
        h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
    return h;
}

/* The small files stay beside the image wherever the overlay goes: the next
 * run may be given another work directory, and has to find them. */
int
transaction_name(const char *image, bool is_device, const char *work_dir,
                 struct transaction *t, struct v2v_error *err)
{
    V2V_AUTO(mem) char *dir = NULL;

    if (work_dir == NULL && is_device)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "a block device needs a work directory for its "
                        "overlay (--work-dir)");
    if (work_dir != NULL && (dir = realpath(work_dir, NULL)) == NULL)
        return v2v_fail(err, V2V_ERR_USAGE, "work directory %s: %s", work_dir,
                        strerror(errno));
    t->image = v2v_strdup(image, err);
    t->overlay_prefix = dir == NULL
                            ? v2v_strdup(image, err)
                            : v2v_format(err, "%s/%s.%016" PRIx64, dir,
                                         v2v_base_name(image), hash_of(image));
    if (t->image == NULL || t->overlay_prefix == NULL)
        return -1;
    t->prefix = v2v_strdup(is_device ? t->overlay_prefix : image, err);
    return t->prefix == NULL ? -1 : 0;
}

int
transaction_load(struct transaction *t, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = transaction_file(t, "state", err);

    return path == NULL ? -1 : state_read(path, t, err);
}

int
transaction_enter(struct transaction *t, enum transaction_step step,
                  struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = transaction_file(t, "state", err);
    enum transaction_step before = t->step;

    t->step = step;
    if (path != NULL && state_write(path, t, err) == 0)
        return 0;
    t->step = before;
    return -1;
}

static int
delete_own(const struct transaction *t, const char *what, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = transaction_file(t, what, err);

    return own_file_delete(path, err);
}

static int
delete_undo(const struct transaction *t, unsigned n, struct v2v_error *err)
{
    /* the record last: without it the others would be nobody's */
    static const char *const suffixes[] = { "",
                                            (".xml" V2V_NEW_SUFFIX),
                                            ".xml",
                                            (".domain.xml" V2V_NEW_SUFFIX),
                                            ".domain.xml",
                                            (".json" V2V_NEW_SUFFIX),
                                            ".json" };

    for (size_t i = 0; n > 0 && i < sizeof suffixes / sizeof *suffixes; i++) {
        V2V_AUTO(mem) char *path =
            transaction_undo_file(t, n, suffixes[i], err);

        if (own_file_delete(path, err) < 0)
            return -1;
    }
    return 0;
}

/* A work directory that is gone has nothing in it. */
static int
sync_directory(const char *path, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = v2v_strdup(path, err);

    if (copy == NULL)
        return -1;
    if (access(dirname(copy), F_OK) < 0 && errno == ENOENT)
        return 0;
    return v2v_sync_directory_of(path, err);
}

/* What is no longer needed, whatever became of it; the state file when the
 * rest (but for an empty directory in /tmp) is known to be gone; and last the
 * file of a copy, since it is the lock of all of them. */
static int
delete_rest(struct transaction *t, struct v2v_error *err)
{
    static const char *const files[] = { "overlay",
                                         "rewind",
                                         "xml",
                                         ("xml" V2V_NEW_SUFFIX),
                                         "domain",
                                         ("domain" V2V_NEW_SUFFIX),
                                         ("state" V2V_NEW_SUFFIX) };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (delete_own(t, files[i], err) < 0)
            return -1;
    scratch_delete(t->scratch);
    if (sync_directory(t->overlay_prefix, err) < 0 ||
        v2v_sync_directory_of(t->prefix, err) < 0 ||
        delete_own(t, "state", err) < 0 || delete_own(t, "copy", err) < 0)
        return -1;
    t->step = TRANSACTION_NONE;
    return v2v_sync_directory_of(t->prefix, err);
}

int
transaction_sweep(const struct transaction *t, struct v2v_error *err)
{
    if (delete_own(t, "state" V2V_NEW_SUFFIX, err) < 0)
        return -1;
    return delete_own(t, "copy", err);
}

int
transaction_discard(struct transaction *t, struct v2v_error *err)
{
    if (delete_undo(t, t->keeps, err) < 0)
        return -1;
    return delete_rest(t, err);
}

static int
flush_files(const struct v2v_strings *files, struct v2v_error *err)
{
    for (size_t i = 0; i < files->count; i++)
        if (v2v_file_flush(files->items[i], err) < 0)
            return -1;
    return 0;
}

/* rename() that replaces nothing, also where renameat2() cannot do that. */
static int
rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return link(from, to) < 0 ? -1 : unlink(from);
}

/* The copy is whole; it only lacks its name.  Already named: a run before us
 * came that far. */
static int
name_copy(const struct transaction *t, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = transaction_file(t, "copy", err);

    if (copy == NULL)
        return -1;
    if (!own_file_exists(copy) && own_file_exists(t->image))
        return v2v_sync_directory_of(t->image, err);
    if (rename_new(copy, t->image) == 0)
        return v2v_sync_directory_of(t->image, err);
    if (errno == EEXIST)
        return v2v_refuse(err, V2V_ERR_GUEST, "output-exists",
                          "%s has appeared meanwhile: move it away; the new "
                          "image is still %s",
                          t->image, copy);
    return v2v_fail_errno(err, errno, "%s to %s", copy, t->image);
}

/* The first commit needs no rewinding, and it does no harm: there is one way
 * of committing, and it is always tried. */
static int
commit_overlay(const struct transaction *t, struct v2v_error *err)
{
    V2V_AUTO(mem) char *overlay = transaction_file(t, "overlay", err);
    V2V_AUTO(mem) char *rewind = transaction_file(t, "rewind", err);
    /* -d: the overlay keeps its content, so that this can be repeated */
    const char *argv[] = { "commit", "-p", "-d", "-f", "qcow2", overlay, NULL };
    V2V_AUTO(fd) int fd = -1;

    if (overlay == NULL || rewind == NULL)
        return -1;
    if (!own_file_exists(overlay))
        return v2v_refuse(
            err, V2V_ERR_GUEST, "commit-lost",
            "a commit was interrupted and its overlay %s is gone: "
            "the image may be half written",
            overlay);
    /* in a folder that everybody can write it might be another's */
    if (own_file_open(overlay, O_RDONLY, &fd, err) < 0 ||
        rewind_restore(t->image, rewind, err) < 0)
        return -1;
    if (qemu_img_watched(argv, err) < 0) {
        if (err != NULL && err->code != V2V_ERR_BUSY)
            err->code = V2V_ERR_INTERNAL; /* the host's trouble: a full disk */
        return -1;
    }
    return flush_files(&t->files, err);
}

/* It is deleted only when it was written: without it, a run before us came that
 * far. */
static int
write_xml(const struct transaction *t, struct v2v_error *err)
{
    V2V_AUTO(mem) char *pending = transaction_file(t, "xml", err);
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };

    if (pending == NULL)
        return -1;
    if (t->xml == NULL)
        return 0;
    if (t->xml_removed)
        return own_file_delete(t->xml, err) < 0
                   ? -1
                   : v2v_sync_directory_of(t->xml, err);
    if (!own_file_exists(pending))
        return 0;
    if (v2v_file_read(pending, IMAGE_XML_MAX, &xml, err) < 0)
        return -1;
    return v2v_file_replace_like(t->xml, pending, xml.data, xml.len, err);
}

/* So that an undo knows the definition for ours, when it still is. */
static int
note_defined(const struct transaction *t, const char *xml,
             struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path = transaction_undo_file(t, t->keeps, ".json", err);
    V2V_AUTO(record) struct record record = { 0 };

    if (path == NULL)
        return -1;
    if (!t->retains)
        return 0;
    if (record_read(path, &record, err) < 0 ||
        digest_of_bytes(xml, strlen(xml), &record.domain_after, err) < 0)
        return -1;
    record.domain_defined = true;
    return record_write(path, &record, err);
}

/* What no program can do again and again is left to the user. */
static int
leave_to_user(const struct transaction *t, const char *file, const char *why,
              struct v2v_error *ret)
{
    return v2v_refuse(ret, V2V_ERR_INTERNAL, "domain-not-defined",
                      "%s is done, but not the definition of domain %s: %s; "
                      "what it should be is in %s: when nothing is in the way "
                      "any more, \"virsh -c %s define %s\"",
                      t->image, t->domain.name, why, file, t->domain.uri, file);
}

/* -1 with @why: libvirt did not; with @err: we could not. */
static int
define_pending(const struct transaction *t, const char *pending,
               struct v2v_error *why, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    V2V_AUTO(mem) char *now = NULL;

    if (v2v_file_read(pending, IMAGE_XML_MAX, &xml, err) < 0 ||
        v2v_bytes_add(&xml, "", 1, err) < 0 ||
        definition_replace(&t->domain, (const char *)xml.data, &now, why) < 0 ||
        note_defined(t, now, err) < 0)
        return -1;
    return own_file_delete(pending, err);
}

/* Tried once: what libvirt will never take must not be in the way of all that
 * follows, an undo above all.  No pending file: a run before us came that far;
 * and if there is no @file either, it succeeded. */
static int
define_or_leave(const struct transaction *t, const char *pending,
                const char *file, struct v2v_error *undefined,
                struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (own_file_exists(pending)) {
        if (!t->domain_kept && define_pending(t, pending, &why, err) == 0)
            return 0;
        if (!t->domain_kept && why.code == V2V_OK)
            return -1;
        if (rename(pending, file) < 0)
            return v2v_fail_errno(err, errno, "%s to %s", pending, file);
    }
    if (!t->domain_kept && own_file_exists(file))
        leave_to_user(t, file,
                      why.code != V2V_OK ? why.text : "libvirt did not take it",
                      undefined);
    return v2v_sync_directory_of(file, err);
}

/* @undefined: why it is left to the user, if it is */
static int
define_domain(const struct transaction *t, struct v2v_error *undefined,
              struct v2v_error *err)
{
    V2V_AUTO(mem) char *pending = transaction_file(t, "domain", err);
    V2V_AUTO(mem)
    char *file = transaction_file(
        t, t->domain_kept ? "old-domain.xml" : "domain.xml", err);

    if (pending == NULL || file == NULL)
        return -1;
    return t->domain.uuid == NULL
               ? 0
               : define_or_leave(t, pending, file, undefined, err);
}

int
transaction_finish(struct transaction *t, struct v2v_error *err)
{
    struct v2v_error undefined = { 0 };

    if (t->step == TRANSACTION_COMMITTING) {
        if ((t->copy ? name_copy(t, err) : commit_overlay(t, err)) < 0 ||
            transaction_enter(t, TRANSACTION_COMMITTED, err) < 0)
            return -1;
    }
    if (write_xml(t, err) < 0 || define_domain(t, &undefined, err) < 0 ||
        delete_undo(t, t->spends, err) < 0 ||
        (!t->retains && delete_undo(t, t->keeps, err) < 0) ||
        delete_rest(t, err) < 0)
        return -1;
    if (undefined.code != V2V_OK && err != NULL)
        *err = undefined;
    return undefined.code == V2V_OK ? 0 : -1;
}

void
transaction_done(struct transaction *t)
{
    free(t->image);
    free(t->format);
    free(t->prefix);
    free(t->overlay_prefix);
    free(t->scratch);
    free(t->xml);
    definition_done(&t->domain);
    v2v_strings_done(&t->files);
    *t = (struct transaction){ 0 };
}
