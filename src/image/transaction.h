/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/transaction.h - one change of one image, as the state file tells it
 *
 * A transaction is a value: it says which files belong to it and how far it
 * has come.  The state file holds that value from before the first other file
 * is made until after the last is gone, so that whoever comes next can end
 * what was begun: a run that went on, or one that follows a crash.
 *
 *     preparing   the image is as it was: to end it, delete our files
 *     committing  the image may be half written and the overlay is the only
 *                 whole copy: to end it, rewind the image, commit (again),
 *                 then as below
 *     committed   the image is done: to end it, write the domain XML,
 *                 replace the definition and delete what is left
 *
 * The steps only go forward; each is on stable storage, with all that it
 * relies on, before anything of the next is done.
 *
 * Beside the image (vm.qcow2), or in the work directory under a name with a
 * hash of the image's path:
 *     vm.qcow2.v2v-state     the state file, JSON
 *     vm.qcow2.v2v-overlay   what is not committed yet
 *     vm.qcow2.v2v-copy      --output: the new image before it gets its name
 *     vm.qcow2.v2v-rewind    VDI, VHDX: their old tables, see image/rewind.h
 *     vm.qcow2.v2v-xml       the domain XML that is to be written
 *     vm.qcow2.v2v-domain    the definition that a domain is to get
 *     vm.qcow2.v2v-domain.xml, vm.qcow2.v2v-old-domain.xml
 *                            the same, when it could not be made that of the
 *                            domain; the latter: by an undo, as the present
 *                            one was edited.  These stay
 *     vm.qcow2.v2v-undo-N    see image/undo.h
 * Only the overlay goes to the work directory; for a block device, which has
 * no good place beside it, all of them do.
 */
#ifndef V2V_IMAGE_TRANSACTION_H
#define V2V_IMAGE_TRANSACTION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "image/definition.h"

enum transaction_step {
    TRANSACTION_NONE,
    TRANSACTION_PREPARING,
    TRANSACTION_COMMITTING,
    TRANSACTION_COMMITTED
};

/* All paths are absolute; all zero is a valid, empty one. */
struct transaction {
    enum transaction_step step; /* NONE: there is no state file */
    char *image;                /* what is changed; the new file of a copy */
    char *format;               /* QEMU's name, of the image */
    char *prefix;               /* of the names of the small files */
    char *overlay_prefix;
    struct v2v_strings files; /* the image's files, to be flushed */
    bool copy;                /* a new file is made, see image_options.output */
    char *scratch;    /* a directory of temporary files; NULL: not yet made */
    unsigned keeps;   /* N of the undo file that it makes; 0: none (a copy).
                         Needed to end a commit, whether it is kept or not */
    bool retains;     /* it is kept */
    unsigned spends;  /* N of the undo file that it carries out; 0: none */
    char *xml;        /* where the domain XML goes; NULL: there is none */
    bool xml_removed; /* an undo: there was no such file */
    struct definition domain; /* whose definition is replaced, if any */
    bool domain_kept;         /* it stays; what it would be goes to a file */
};

/* The files of the list above; @what is "overlay", "copy" ...: a new string,
 * or NULL and V2V_ERR_INTERNAL. */
char *transaction_file(const struct transaction *t, const char *what,
                       struct v2v_error *err);
/* The undo file N, "vm.qcow2.v2v-undo-N" and @suffix: ".json", ".xml",
 * ".domain.xml",
 * "". */
char *transaction_undo_file(const struct transaction *t, unsigned n,
                            const char *suffix, struct v2v_error *err);

/**
 * transaction_name() - where the files of an image are
 * @image:    absolute; @work_dir: NULL: beside the image
 * @t:        all zero; image, prefix and overlay_prefix are set
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE: no such work directory, or a block
 * device without one.
 */
int transaction_name(const char *image, bool is_device, const char *work_dir,
                     struct transaction *t, struct v2v_error *err);

/**
 * transaction_load() - the state file of an image, if there is one
 * @t: from transaction_name(); filled in; its step is NONE without a file
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST: the file is not ours, not understood,
 * or was written when the image had another name.
 */
int transaction_load(struct transaction *t, struct v2v_error *err);

/* Write the state file with @step and make that durable; t->step follows. */
int transaction_enter(struct transaction *t, enum transaction_step step,
                      struct v2v_error *err);

/* Files that a run left that died before it had a state file. */
int transaction_sweep(const struct transaction *t, struct v2v_error *err);

/**
 * transaction_discard() - end one that is still preparing
 *
 * Deletes all of its files, the state file last.
 */
int transaction_discard(struct transaction *t, struct v2v_error *err);

/**
 * transaction_finish() - end one that is committing or committed
 *
 * To repeat a commit is to write over what the image has become since: who
 * comes after a crash asks resume_check() first.
 *
 * Returns: 0, or -1 with V2V_ERR_BUSY (a program of QEMU's has the image),
 * V2V_ERR_GUEST (a file of ours is gone or damaged) or V2V_ERR_INTERNAL; the
 * state file then stays, and it can be called again.  With V2V_ERR_INTERNAL,
 * "domain-not-defined", it has ended: what no program can do again and again is
 * left to the user.
 */
int transaction_finish(struct transaction *t, struct v2v_error *err);

void transaction_done(struct transaction *t);

static inline void
v2v_auto_transaction(struct transaction *t)
{
    transaction_done(t);
}

#endif
