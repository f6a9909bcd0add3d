/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/undo.h - the way back: what a commit overwrote, and whether it may be
 * brought back
 *
 * Beside an image that was changed (vm.qcow2), for its Nth change that can be
 * undone:
 *     vm.qcow2.v2v-undo-N        a sparse qcow2 of the image's size that has
 *                                the old content of what changed, in its place
 *     vm.qcow2.v2v-undo-N.json   the record, see image/record.h
 *     vm.qcow2.v2v-undo-N.xml    the domain XML that was replaced, if any
 *     vm.qcow2.v2v-undo-N.domain.xml
 *                                the definition that was replaced, if any
 *     vm.qcow2.v2v-old.xml       made by an undo: the old domain XML, as the
 *                                present one was edited
 * They can be moved with the image, and deleted: what was done stays done.
 *
 * An undo is a change like another: the old content goes to an overlay, which
 * is committed (image/transaction.h).  Afterwards what the guest sees is bit
 * for bit what it was; what the image file looks like inside need not be.
 */
#ifndef V2V_IMAGE_UNDO_H
#define V2V_IMAGE_UNDO_H

#include "image/image.h"

/* One change that can be undone; all strings are new. */
struct image_undo {
    unsigned number;           /* the N above; the highest is undone first */
    char *time;                /* of the commit, "2026-01-31T12:00:00Z" */
    char *what;                /* image_change.what */
    char *file;                /* the qcow2 */
    char *domain, *domain_uri; /* whose definition was replaced with it: its
                                  name and libvirt's URI; NULL: none */
    uint64_t size;             /* bytes on the host's disk, of all its files */
};

struct image_undo_list {
    struct image_undo *items; /* ascending numbers */
    size_t count;
};

/**
 * image_undo_list() - the changes of an image that can be undone
 * @path: the image, which needs not exist; @work_dir: of a block device
 *
 * Reads the records only.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE or V2V_ERR_FORMAT: a record that is
 * damaged.
 */
int image_undo_list(const char *path, const char *work_dir,
                    struct image_undo_list *ret, struct v2v_error *err);
void image_undo_list_done(struct image_undo_list *list);

static inline void
v2v_auto_image_undo_list(struct image_undo_list *list)
{
    image_undo_list_done(list);
}

struct image_undone {
    unsigned number;
    uint64_t bytes; /* of the disk that were brought back */
    char *xml;      /* the file that was restored or removed, or NULL */
    bool xml_removed;
    bool xml_kept; /* it was changed by others since, or its folder cannot be
                      written: left alone; the old one, if there was one, is
                      beside the image as @xml_old */
    char *xml_old;
    char *domain, *domain_uri; /* whose definition was restored, or NULL */
    bool domain_kept; /* it was edited by others since, or is gone: left
                         alone; the old one is beside the image as: */
    char *domain_old;
};

/**
 * image_undo() - bring back the content before the last change
 *
 * Checks first, and changes nothing, when the guest has run or the image was
 * changed otherwise: its size, the witnesses of the change, and every area
 * that was committed must be as the commit left them.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE   nothing to undo
 * V2V_ERR_GUEST   changed since; the text names what; or the undo file is
 *                 damaged
 * V2V_ERR_BUSY    the domain runs; or why else its definition cannot be had
 * and what image_commit() returns.
 */
int image_undo(struct image *image, struct image_undone *ret,
               struct v2v_error *err);
void image_undone_done(struct image_undone *undone);

#endif
