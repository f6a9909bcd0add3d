/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/guest.h - the files of a Windows in disk images: read, list, write
 *
 * One narrow interface over whatever reaches into the image (guest/backend.h):
 * libguestfs, which runs a small Linux in a virtual machine (the appliance), or
 * a process of ours in a sandbox.  It knows files and their access control
 * lists, nothing of what they mean, and it judges no disk: disk_probe() says
 * first whether a volume may be written.
 *
 * A guest has the disks of one machine, by index from 0 in the order in which
 * guest_open() got them; its messages count them from 1.  One volume at a time
 * is mounted.
 *
 * Paths: '/' between names, relative to the volume's root ("" is the root;
 * leading and trailing '/' are ignored), UTF-8.  Each name is looked up as
 * Windows does, without regard to case.  Names "." and "..", and a reparse
 * point (junction, symbolic link, Windows' own compression, cloud files) on
 * the way are refused with V2V_ERR_GUEST: what libguestfs would do there is
 * not what Windows does.
 *
 * Errors that all functions share:
 * V2V_ERR_NOT_FOUND  a name on the path is absent
 * V2V_ERR_GUEST      the path leads through a reparse point or a file, or is
 *                    not one; the file is larger than the caller's limit
 * V2V_ERR_INTERNAL   the backend or memory failed
 * A guest_disk() reader needs no mounted volume, all functions with a path
 * need one.
 *
 * Not thread-safe: one thread, one guest.
 */
#ifndef V2V_GUEST_GUEST_H
#define V2V_GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/ranges.h"
#include "base/text.h"
#include "guest/key.h"

struct guest;

/* The largest file that is read or patched as a whole. */
#define GUEST_FILE_MAX (UINT64_C(512) << 20)

/* What libguestfs itself says goes to v2v_trace() (cli's -x).  Off at first;
 * holds for guests opened afterwards. */
void guest_set_trace(bool on);

/* One disk of the machine. */
struct guest_disk_source {
    const char *image;               /* image_disk_path() */
    const char *format;              /* QEMU's name, never guessed */
    const struct v2v_strings *files; /* image_files(): what QEMU may read for
                                      * it; NULL: nothing else */
    bool read_only; /* the file is not written: what the appliance writes
                     * goes to an overlay of its own in the scratch
                     * directory, and is lost */
};

/* Who reaches into the image. */
enum guest_choice {
    GUEST_AUTO,      /* direct, or libguestfs where that does not serve */
    GUEST_DIRECT,    /* a process in a sandbox, through libntfs-3g: one disk, no
                      * BitLocker, dynamic disk, storage pool or LVM on it */
    GUEST_LIBGUESTFS /* a virtual machine */
};

/* "auto", "direct", "libguestfs", by their numbers; NULL at the end. */
const char *guest_choice_name(size_t choice);

/* What libguestfs takes with its default backend, which leaves one of the 256
 * targets of a virtio-scsi bus to the appliance itself.
 * Source: man guestfs, guestfs_max_disks(); 255 with version 1.48. */
#define GUEST_DISKS_MAX 255

/* What was asked of libguestfs; all zero with the direct backend. */
struct guest_use {
    unsigned launches; /* of appliances, those that did not start included */
    unsigned calls;    /* of its functions, these included */
};

struct guest_machine {
    enum guest_choice backend;
    const struct guest_disk_source *disks;
    size_t count;        /* 1 to GUEST_DISKS_MAX */
    const char *scratch; /* a directory for temporary files and sockets, which
                          * need a short path; what is left in it when we are
                          * killed is for its owner to delete */
    unsigned memsize;    /* of the appliance, MB; 0: as its headers say */
    unsigned smp;        /* its processors; 0: as libguestfs has it */
    struct guest_keys *keys; /* for guest_unlock(), which notes in them what
                              * they were good for, as long as the guest is
                              * open; NULL: none */
    struct guest_use *use;   /* counted there until the guest is closed; NULL:
                              * nobody asks */
};

/**
 * guest_open() - reach into the disks of one machine
 * @machine: not needed afterwards, but for @use and @keys
 * @ret:     new; guest_close() or guest_abandon() ends it
 *
 * libguestfs takes seconds with KVM, half a minute without.  No network.  Where
 * KVM is absent or broken it goes on with QEMU's software emulation after one
 * warning, "kvm-absent" or "kvm-broken".  LIBGUESTFS_* in the environment is
 * respected; "force_tcg" or "force_kvm" there is taken without a question.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE (too many disks; GUEST_DIRECT and it
 * does not serve them; no sandbox, see SANDBOX_REQUIRE), V2V_ERR_BUSY and
 * V2V_ERR_FORMAT as nbd_disk_open(), or V2V_ERR_INTERNAL; the text says what
 * libguestfs misses.
 */
int guest_open(const struct guest_machine *machine, struct guest **ret,
               struct v2v_error *err);

/* "direct" or "libguestfs"; and, where auto chose the latter, the reason: one
 * line, else "". */
const char *guest_backend_name(const struct guest *guest);
const char *guest_backend_why(const struct guest *guest);

/* How many disks it was opened with. */
unsigned guest_disk_count(const struct guest *guest);

/* A reader of a whole disk for disk_probe().  It lives as long as @guest. */
int guest_disk(struct guest *guest, unsigned disk, struct disk_reader *ret,
               struct v2v_error *err);

/**
 * guest_unlock() - open an encrypted volume with the machine's keys
 * @volume:     of disk_probe(): DISK_BITLOCKER
 * @protectors: what bitlocker_read() says of it
 *
 * What is decrypted takes the volume's place until the guest is closed: a
 * guest_disk() reader has it there, also one that was made before, and
 * guest_mount() mounts it.  A key that was tried takes a second of a processor,
 * more where the appliance is emulated.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST (it cannot be opened, whatever the key)
 * or V2V_ERR_INTERNAL.
 */
int guest_unlock(struct guest *guest, unsigned disk,
                 const struct disk_volume *volume,
                 const struct bitlocker *protectors, enum guest_lock *ret,
                 struct v2v_error *err);

/* Of keys for a volume that there is not: to be called when all volumes were
 * seen.  "key-unused" */
void guest_warn_of_keys(const struct guest *guest);

/**
 * guest_place() - a volume in the words of messages
 *
 * "partition 2" in a guest of one disk, else "disk 1, partition 2".
 */
struct guest_place {
    char text[48];
};
struct guest_place guest_place(const struct guest *guest, unsigned disk,
                               unsigned partition);

/**
 * guest_mount() - make one NTFS volume the one that paths are relative to
 * @disk:      its index
 * @partition: 1 is the first partition, as disk_probe() counts; 0: the file
 *             system fills the disk without a partition table
 * @write:     false: nothing on the disk changes
 *
 * A volume with an unclean journal or a hibernated Windows is never repaired
 * nor silently mounted read-only: with @write that is V2V_ERR_GUEST.  Without
 * it such a volume is readable, as it was last written to the disk.
 * A volume that is mounted already is unmounted first.
 */
int guest_mount(struct guest *guest, unsigned disk, unsigned partition,
                bool write, struct v2v_error *err);

/* The same for a FAT volume, the EFI system partition; only to be read. */
int guest_mount_fat(struct guest *guest, unsigned disk, unsigned partition,
                    struct v2v_error *err);

/* Flushes, and says whether that worked. */
int guest_unmount(struct guest *guest, struct v2v_error *err);

/**
 * guest_read() - a whole file
 * @max: at most GUEST_FILE_MAX; a larger file is V2V_ERR_GUEST
 * @ret: replaced; the caller's to v2v_bytes_done()
 */
int guest_read(struct guest *guest, const char *path, size_t max,
               struct v2v_bytes *ret, struct v2v_error *err);

/* The same, into the empty file @fd; @len: bytes that the file has, for the
 * caller to compare. */
int guest_copy(struct guest *guest, const char *path, size_t max, int fd,
               uint64_t *len, struct v2v_error *err);

/* The first @len bytes (at most 1 MiB) of a file, or all of a shorter one. */
int guest_head(struct guest *guest, const char *path, size_t len,
               struct v2v_bytes *ret, struct v2v_error *err);

struct guest_stat {
    bool exists; /* the rest is zero when not */
    bool is_dir;
    bool reparse;  /* content is not what the file system says; not read */
    uint64_t size; /* bytes; 0 for a directory or a reparse point */
    uint64_t file_number; /* of its record in an NTFS' MFT, for
                             ntfs_file_place(); 0 for the volume's root, and
                             without meaning on a FAT volume */
};

/* Absent is a result here, not an error. */
int guest_stat(struct guest *guest, const char *path, struct guest_stat *ret,
               struct v2v_error *err);

/**
 * guest_list() - the names in a directory, sorted, without "." and ".."
 * @ret: replaced; the caller's to v2v_strings_done()
 *
 * More than GUEST_LIST_MAX names is V2V_ERR_GUEST.
 */
int guest_list(struct guest *guest, const char *dir, struct v2v_strings *ret,
               struct v2v_error *err);
#define GUEST_LIST_MAX 200000

/* Bytes that are free in the mounted volume. */
int guest_free_space(struct guest *guest, uint64_t *ret, struct v2v_error *err);

struct guest_file {
    const char *path; /* "Windows/System32/drivers/viostor.sys" */
    const void *data;
    size_t len;
};

/**
 * guest_write_files() - many new files at once
 * @files: no two of the same path, without regard to case; none below another
 *
 * Missing parents are made.  A new file or directory gets the security
 * descriptor that Windows would give it: inherited from its parent
 * (disk/sd.h).  A file that exists is replaced and keeps its security
 * descriptor; its hard links elsewhere (Windows' component store has them)
 * keep the old content.  A reparse point in its place is replaced too: a
 * system file that Windows compressed itself.  Parts of a path that exist keep
 * their spelling, their descriptors and times.  Nothing is written when a path
 * is refused; a failure later (a full volume) leaves some files.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST: a path that leads through a file or
 * a reparse point, ends at a directory, or holds a name Windows refuses.
 *
 * Source: Microsoft, "Naming Files, Paths, and Namespaces",
 * https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 */
int guest_write_files(struct guest *guest, const struct guest_file *files,
                      size_t count, struct v2v_error *err);

/**
 * guest_patch_file() - make a file's content @data by writing what differs
 * @old_len: bytes that it has now, which is checked
 * @changed: where @data is not what the file holds
 *
 * Identity, security descriptor and attributes of the file stay.  It grows
 * or shrinks to @len.  Whether it holds @data then is for
 * guest_check_content() to say.
 */
int guest_patch_file(struct guest *guest, const char *path, size_t old_len,
                     const void *data, size_t len,
                     const struct v2v_ranges *changed, struct v2v_error *err);

/**
 * guest_check_content() - read a file that was written, all of it
 *
 * On a volume that was mounted anew since it sees what Windows will see, not
 * what the library that wrote has in memory.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL: it holds anything but @data.
 */
int guest_check_content(struct guest *guest, const char *path, const void *data,
                        size_t len, struct v2v_error *err);

/* Unmount, flush, stop the appliance.  What was written is safe in the image
 * files only after this returned 0.  @guest is gone in any case. */
int guest_close(struct guest *guest, struct v2v_error *err);

/* The same for a failing path: what was written may be lost.  NULL is fine. */
void guest_abandon(struct guest *guest);
V2V_AUTO_DEFINE(guest, struct guest *, guest_abandon)

#endif
