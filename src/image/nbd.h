/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/nbd.h - an image of any format as the bytes that the guest sees
 *
 * A qemu-nbd of our own serves the image on a socket that has no name on the
 * disk and nobody else can use.  It dies with us (image/child.h), so that a
 * run that is killed leaves no process, no file and no lock behind.
 *
 * QEMU's locks are held while the disk is open: nobody else can write the
 * image, and who opens it for writing is alone.
 *
 * Calls wait until they are done.  Once qemu-nbd is gone, every call fails
 * with V2V_ERR_INTERNAL and nothing waits.  A range that is not inside the
 * disk is V2V_ERR_FORMAT: where to read is taken from what the guest wrote.
 * Errors name the image and hold what qemu-nbd said.
 */
#ifndef V2V_IMAGE_NBD_H
#define V2V_IMAGE_NBD_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "disk/probe.h"

struct nbd_disk;

enum nbd_access { NBD_READ_ONLY, NBD_READ_WRITE };

/**
 * nbd_disk_open() - serve an image and connect to it
 * @path:   of the image; any characters; need not be absolute
 * @format: QEMU's name of its format; never guessed here (see
 *          image_format_by_magic())
 * @others: files that it names and that QEMU may read, absolute: backing
 *          files, a VMDK's extents; NULL: none
 * @ret:    new; nbd_disk_close() or nbd_disk_abandon()
 *
 * QEMU runs in a sandbox (sandbox_files_prepare()): what an image names besides
 * @others cannot be opened, as far as the kernel allows to say so. image_open()
 * checks it beforehand, too.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE    there is no such file
 * V2V_ERR_FORMAT   QEMU cannot open it; the text is what it said
 * V2V_ERR_BUSY     a virtual machine or a QEMU tool has it
 * V2V_ERR_INTERNAL qemu-nbd is not installed, died, was silent for longer than
 *                  nbd_patience, or the system is out of something
 */
int nbd_disk_open(const char *path, const char *format, enum nbd_access access,
                  const struct v2v_strings *others, struct nbd_disk **ret,
                  struct v2v_error *err);

/* How long qemu-nbd may take until it has opened an image, seconds: it does in
 * milliseconds, but storage may be slow, and QEMU first repairs a qcow2 with
 * lazy_refcounts that was not closed, for which it reads all of the tables.
 * Tests want less than the 120 it is. */
extern int nbd_patience;

/**
 * nbd_server_start() - the same for a client in another process
 * @connection: the only one that the server will ever have; the caller's
 *
 * An image that cannot be opened is not seen here but by the client, which
 * loses its connection; nbd_server_wait() then says why.
 */
struct nbd_server;
int nbd_server_start(const char *path, const char *format,
                     enum nbd_access access, const struct v2v_strings *others,
                     struct nbd_server **ret, int *connection,
                     struct v2v_error *err);

/* Its client has gone: until it has closed the image.  Errors as those of
 * child_wait(). */
int nbd_server_wait(struct nbd_server *server, struct v2v_error *err);

/* Kills it if it still runs.  NULL is fine. */
void nbd_server_abandon(struct nbd_server *server);
V2V_AUTO_DEFINE(nbd_server, struct nbd_server *, nbd_server_abandon)

/* The disk of a server that another process has started; @connection is the
 * disk's, also after a failure. */
int nbd_disk_adopt(int connection, struct nbd_disk **ret,
                   struct v2v_error *err);

/* Of the disk that the guest sees, bytes; a multiple of 512. */
uint64_t nbd_disk_size(const struct nbd_disk *disk);

/* Any offset, any length, inside the disk.  What was written is read back;
 * nbd_disk_flush() brings it to the host's disk.  Writing to a disk that is
 * open for reading is V2V_ERR_INTERNAL. */
int nbd_disk_read(struct nbd_disk *disk, uint64_t offset, void *buf, size_t len,
                  struct v2v_error *err);
int nbd_disk_write(struct nbd_disk *disk, uint64_t offset, const void *buf,
                   size_t len, struct v2v_error *err);
int nbd_disk_zero(struct nbd_disk *disk, uint64_t offset, uint64_t len,
                  struct v2v_error *err);
int nbd_disk_flush(struct nbd_disk *disk, struct v2v_error *err);

/* The disk for disk_probe(); valid as long as @disk is. */
struct disk_reader nbd_disk_reader(struct nbd_disk *disk);

/* An area of the disk, bytes. */
struct image_extent {
    uint64_t offset;
    uint64_t len;
};

/* All zero is an empty list, which owns its items. */
struct image_extents {
    struct image_extent *items;
    size_t count;
};

/**
 * nbd_disk_extents() - the areas that the image file itself holds, and its
 * backing file does not
 * @ret: ascending; two areas never touch; image_extents_done() frees it
 *
 * For an overlay this is what a commit would write.  Data and zero clusters
 * count alike, for both hide what the backing file has.  For an image without
 * backing file it is what its format calls allocated.
 *
 * Source: QEMU docs/interop/nbd.txt, "qemu:allocation-depth".
 */
int nbd_disk_extents(struct nbd_disk *disk, struct image_extents *ret,
                     struct v2v_error *err);

void image_extents_done(struct image_extents *list);

static inline void
v2v_auto_image_extents(struct image_extents *list)
{
    image_extents_done(list);
}

/**
 * nbd_disk_close() - flush what was written, disconnect, wait for qemu-nbd
 *
 * @disk is gone also when this fails: V2V_ERR_INTERNAL, and what was written
 * may not be on the disk.
 */
int nbd_disk_close(struct nbd_disk *disk, struct v2v_error *err);

/* Give it up as it is, qemu-nbd is killed: for reading, and for an overlay
 * that is thrown away.  NULL is fine. */
void nbd_disk_abandon(struct nbd_disk *disk);

V2V_AUTO_DEFINE(nbd_disk, struct nbd_disk *, nbd_disk_abandon)

#endif
