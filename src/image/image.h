/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/image.h - the image file on the host: its locks, its overlay, the
 * commit, and the way back
 *
 * All changes go to a qcow2 overlay; the image itself is first written by
 * image_commit().  A run that dies before that leaves the image bit for bit
 * as it was; one that dies inside it is finished by whoever opens the image
 * next.  Which files that takes is told in image/transaction.h, what an undo
 * needs in image/undo.h.
 *
 * Nothing here looks into the guest: file systems are guest/'s matter.
 * qemu-img and qemu-nbd do all work on image formats; they are run without a
 * shell and die with us.
 */
#ifndef V2V_IMAGE_IMAGE_H
#define V2V_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "disk/probe.h"

struct image;

struct image_options {
    const char *format;   /* QEMU's name: "raw", "qcow2"; NULL: by magic */
    const char *work_dir; /* for the overlay; NULL: beside the image */
    const char *output;   /* a new qcow2 takes the result and the image is only
                             read; NULL: the image itself changes */
    bool read_only;       /* nobody writes: neither the image nor a file beside
                             it; no output */
};

enum {
    IMAGE_HEAD_LEN = 512, /* of a file's start: all that magics need */
    IMAGE_TAIL_LEN = 512  /* of its end: a VHD's footer */
};

/**
 * image_format_by_magic() - QEMU's name of an image format
 * @head:   the first IMAGE_HEAD_LEN bytes, zeroes beyond the end of the file
 * @tail:   the last IMAGE_TAIL_LEN bytes, likewise
 * @size:   of the file, bytes
 *
 * Returns: a static string, or NULL when no magic is known: the file is raw
 * or no image at all.
 *
 * A guest that owns a raw disk can write any magic into it.  Who knows that a
 * file is raw says so in image_options; and whatever a header says, an image
 * that names other files of the host is refused by image_open().  A VMDK
 * descriptor (text, names other files by design) counts only in a file too
 * small to be a Windows disk.
 *
 * Source: QEMU docs/interop (qcow2, qed, parallels), block/vmdk.c,
 * block/vhdx.h, block/vpc.c, block/vdi.c: where each probe looks.
 */
const char *image_format_by_magic(const void *head, const void *tail,
                                  uint64_t size);

/* The formats that image_options takes, as QEMU calls them; NULL at the end. */
const char *image_format_name(size_t i);

/**
 * image_open() - check that an image may be worked on, and lock it
 * @path:    any file name; ':' and a leading '-' have no meaning
 * @options: may be NULL
 * @ret:     new; image_close() frees and unlocks it
 *
 * Our lock is an OFD write lock on one byte that QEMU does not use, held until
 * image_close(); flock() would be a lock on all bytes where the file is on NFS
 * and so shut out our own qemu-img.  With an output it is the new file that is
 * locked, and the image as if it were read-only.  What a run that died has left
 * is ended first, as image_recover() does, with a warning.
 *
 * With read_only the lock is a read lock, that many can have while nobody
 * writes, and nothing is ended: a run that died in its commit is a refusal, one
 * that died before has changed nothing.  Neither the image nor its folder needs
 * to be writable, a block device needs no work_dir, and there is no overlay:
 * see image_disk_path().
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE   missing, or neither a regular file nor a block device; a
 *                 block device without a work_dir; no such work_dir; the
 *                 output exists or cannot be made
 * V2V_ERR_GUEST   nobody may write it, even for root ("image-read-only"); it
 *                 has a backing file or a parent ("backing-file"), an external
 *                 data file ("data-file"); encrypted ("image-encrypted");
 *                 marked corrupt ("image-corrupt"); a VHDX that was not closed
 *                 ("vhdx-log"); of a kind that is not taken, or not in place
 *                 ("image-kind"); a commit that was interrupted and cannot be
 *                 ended, or may not, a state file that is not understood
 *                 ("image-interrupted")
 * V2V_ERR_BUSY    another v2v-virtio holds it, or a virtual machine or QEMU
 *                 tool does, or the host has mounted it
 * V2V_ERR_FORMAT  not a disk image (a raw one has a boot sector), or
 *                 qemu-img cannot open it as the format given or found
 *                 ("image-unreadable")
 * V2V_ERR_INTERNAL  qemu-img cannot be run, or the host fails
 *
 * Source of QEMU's locks: QEMU block/file-posix.c, RAW_LOCK_PERM_BASE 100
 * and RAW_LOCK_SHARED_BASE 200: byte BASE + n is locked for permission n.
 */
int image_open(const char *path, const struct image_options *options,
               struct image **ret, struct v2v_error *err);

/* What there is to say about an image before anybody looks into it. */
struct image_about {
    const char *format;    /* QEMU's name, static */
    bool probed_raw;       /* raw since no magic is known, and nobody said so */
    uint64_t virtual_size; /* bytes */
    uint64_t host_free;    /* bytes free where an overlay would go; UINT64_MAX:
                              that is not known yet (a block device) */
    uint64_t host_needed;  /* that image_overlay_create() asks for */
    struct v2v_strings snapshots; /* names of internal ones; empty: none */
    bool writable;                /* by this user; if not: "image-read-only" */
    const char *copy_only; /* what it is that is not worked on in place ("image-
                              kind"): "a Parallels image"; or NULL */
};

/* @ret: all zero; the caller's to image_about_done().  V2V_ERR_INTERNAL. */
int image_about(const struct image *image, struct image_about *ret,
                struct v2v_error *err);

void image_about_done(struct image_about *about);

/* The absolute name of a file that needs not exist, in a folder that does:
 * V2V_ERR_USAGE.  @ret: a new string. */
int image_absolute_name(const char *path, char **ret, struct v2v_error *err);

/* QEMU's name, "qcow2"; pass it on: nobody may guess it again. */
const char *image_format(const struct image *image);

enum image_recovered {
    IMAGE_NOTHING_TO_RECOVER,
    IMAGE_DISCARDED, /* the image is as it was before the run that died */
    IMAGE_FINISHED   /* it is what that run would have made it */
};

/* What became of the image, for people: "the image is as it was ..." */
const char *image_recovered_text(enum image_recovered what);

/**
 * image_recover() - end what a run that died has begun
 * @path:     the image, or the output of that run, which may not exist yet
 * @work_dir: of a block device; otherwise the state file knows
 *
 * A commit is not repeated over a guest that has run since, or an image that
 * was replaced: that is V2V_ERR_GUEST, see image/resume.h.  A definition that
 * cannot be replaced is "domain-not-defined", as with image_commit().
 *
 * Returns: 0, or -1 with V2V_ERR_BUSY, V2V_ERR_USAGE, V2V_ERR_GUEST or
 * V2V_ERR_INTERNAL as image_open(); it can be called again.
 */
int image_recover(const char *path, const char *work_dir,
                  enum image_recovered *ret, struct v2v_error *err);

/* Has a run begun to commit to it, and not ended?  @path, @work_dir: as for
 * image_recover().  Only the state file is looked at, and not locked: for who
 * wants to know whether it is worth waiting.  False: no, or it is not known. */
bool image_in_commit(const char *path, const char *work_dir);

/**
 * image_overlay_create() - the empty qcow2 overlay that takes all changes;
 * not of a read_only image
 * @keep_undo: the undo file that image_commit() makes is to stay; there is
 *             none with an output
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL: the overlay cannot be made, or
 * less than IMAGE_FREE_SPACE_MIN is free where it goes (the host's trouble,
 * not the guest's).
 */
int image_overlay_create(struct image *image, bool keep_undo,
                         struct v2v_error *err);

/* An injection writes some 20 MiB, and 100 more where the whole SOFTWARE hive
 * is rewritten; the same again in the image when that is sparse. */
#define IMAGE_FREE_SPACE_MIN (UINT64_C(256) << 20)

/* Where the overlay is: absolute; its format is "qcow2".  NULL before
 * image_overlay_create() and after the commit. */
const char *image_overlay_path(const struct image *image);

/* What a guest is opened from: the overlay; of a read_only image that itself,
 * to be opened without writing to it (struct guest_disk_source). */
const char *image_disk_path(const struct image *image);
const char *image_disk_format(const struct image *image);

/* The absolute names of all that it lies on: the image, a VMDK's extents. */
const struct v2v_strings *image_files(const struct image *image);

/* A directory for temporary files of other programs, gone with the overlay; of
 * a read_only image from image_open() to image_close().  The latter's name
 * starts with "v2v-virtio.read-"; one that a run which was killed has left is
 * deleted by image_sweep(), and by the next image_open() with read_only. */
const char *image_scratch(const struct image *image);
void image_sweep(void);

/* The content of image_disk_path(), when nobody else has it open for writing.
 * @ret is valid until the commit. */
int image_overlay_reader(struct image *image, struct disk_reader *ret,
                         struct v2v_error *err);

/* A place of the disk that changes whenever the guest runs. */
struct image_witness {
    char name[32]; /* for people: "the SYSTEM hive" */
    uint64_t offset, len;
};

/* A file of the host that changes with the image: the domain's XML; at most
 * IMAGE_XML_MAX bytes. */
#define IMAGE_XML_MAX ((size_t)64 << 20)
struct image_xml {
    const char *path; /* NULL: there is none */
    const void *data;
    size_t len;
    bool removed;     /* the file is to go; no data */
    const char *like; /* others may do no more with it than with this file;
                         NULL: nothing */
};

/* A domain that a libvirt keeps. */
struct image_domain {
    const char *uri;         /* of that libvirt: "qemu:///system" */
    const char *uuid, *name; /* UTF-8 */
};

/* A definition that changes with the image; all zero: there is none. */
struct image_definition {
    struct image_domain domain;
    const char *old; /* its XML, as image_domain_ops.read() gave it */
    const char *xml; /* as it is to be */
    bool kept;       /* it was edited by others and is left alone; @xml goes to
                        a file beside the image */
};

/**
 * struct image_domain_ops - how definitions are read and replaced, which is
 * nothing that this folder knows
 * @read:   the XML of a domain that may be changed now, new; V2V_ERR_BUSY: it
 *          runs; V2V_ERR_NOT_FOUND: there is no such domain; or another reason
 * @define: replace the XML @old, which read() has just given, and give the one
 *          that it has then, new.  @old NULL: it is not the one that was to be
 *          replaced: succeeds if it is what @xml would make it, and fails
 */
struct image_domain_ops {
    int (*read)(void *opaque, const struct image_domain *domain, char **ret,
                struct v2v_error *err);
    int (*define)(void *opaque, const struct image_domain *domain,
                  const char *old, const char *xml, char **ret,
                  struct v2v_error *err);
    void *opaque;
};

/* For all that follows, recovery included; @domain_ops is not copied. */
void image_set_domain_ops(const struct image_domain_ops *domain_ops);

struct image_change {
    const char *what; /* one line for people: what an undo would take back */
    struct image_xml xml;
    struct image_definition definition;
    const struct image_witness *witnesses;
    size_t witness_count;
};

/**
 * image_commit() - write the overlay's content into the image, then the XML,
 * then replace the definition
 *
 * Everybody who wrote to the overlay has closed it.  Before the image changes
 * its old content is kept, if image_overlay_create() was told so.  On return
 * the image is on stable storage, and of our files only the undo's are left.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_BUSY      a virtual machine has just taken the image, which is as it
 *                   was
 * V2V_ERR_INTERNAL  the text tells whether the image is as it was, or may be
 *                   half written: image_recover() finishes it when what was in
 *                   the way (a full disk) is not any more
 * V2V_ERR_INTERNAL, "domain-not-defined"  all is done but for the definition,
 *                   which is in a file beside the image; the text tells what
 *                   was in the way, and what to run
 */
int image_commit(struct image *image, const struct image_change *change,
                 struct v2v_error *err);

/* The undo file that image_commit() has made or will make; NULL: none. */
const char *image_undo_file(const struct image *image);

/* Deletes an overlay that was not committed, unlocks, frees; NULL is fine. */
void image_close(struct image *image);
V2V_AUTO_DEFINE(image, struct image *, image_close)

#endif
