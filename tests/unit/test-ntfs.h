/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes for the tests of ntfs/: made by mkntfs in plain files, filled by
 * ntfs-fill, read again by other programs. */
#ifndef V2V_TEST_NTFS_H
#define V2V_TEST_NTFS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "ntfs/volume.h"
#include "test-tools.h"

/* O:BAG:SYD:AI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA) */
#define DESCRIPTOR                                                             \
    "0100048448000000580000000000000014000000020034000200000000031400ff011f00" \
    "01010000000000051200000000031800ff011f0001020000000000052000000020020000" \
    "01020000000000052000000020020000010100000000000512000000"

/* The same in binary; from set_up() on. */
static uint8_t sd[256];
static size_t sd_len;

static inline int
set_up(void **state)
{
    unsigned byte;

    for (sd_len = 0; sd_len < strlen(DESCRIPTOR) / 2; sd_len++) {
        sscanf(&DESCRIPTOR[2 * sd_len], "%2x", &byte);
        sd[sd_len] = (uint8_t)byte;
    }
    return make_top(state);
}

/* A disk in a file, with a partition at @offset; the call number @fail_at, and
 * each after it that would still be made, fails. */
struct test_disk {
    int fd;
    uint64_t offset, len;
    unsigned sector;
    long calls, fail_at;
    long writes, writes_after; /* the failure */
    bool failed;
};

static inline int
count_call(struct test_disk *disk, uint64_t offset, size_t len,
           struct v2v_error *err)
{
    assert_int_equal(offset % disk->sector, 0);
    assert_int_equal(len % disk->sector, 0);
    assert_true(offset >= disk->offset &&
                offset + len <= disk->offset + disk->len);
    if (++disk->calls == disk->fail_at)
        disk->failed = true;
    return disk->failed
               ? v2v_fail(err, V2V_ERR_INTERNAL, "call %ld failed", disk->calls)
               : 0;
}

static inline int
read_test_disk(void *opaque, uint64_t offset, void *buf, size_t len,
               struct v2v_error *err)
{
    struct test_disk *disk = opaque;

    if (count_call(disk, offset, len, err) < 0)
        return -1;
    assert_int_equal(pread(disk->fd, buf, len, (off_t)offset), len);
    return 0;
}

static inline int
write_test_disk(void *opaque, uint64_t offset, const void *buf, size_t len,
                struct v2v_error *err)
{
    struct test_disk *disk = opaque;

    disk->writes++;
    disk->writes_after += disk->failed;
    if (count_call(disk, offset, len, err) < 0)
        return -1;
    assert_int_equal(pwrite(disk->fd, buf, len, (off_t)offset), len);
    return 0;
}

static inline int
flush_test_disk(void *opaque, struct v2v_error *err)
{
    const struct test_disk *disk = opaque;

    return disk->failed ? v2v_fail(err, V2V_ERR_INTERNAL, "flush failed") : 0;
}

static inline char *
in_top(const char *name)
{
    char *path = v2v_format(NULL, "%s/%s", top, name);

    assert_non_null(path);
    return path;
}

/* Shell, which must work. */
static inline void must(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static inline void
must(const char *format, ...)
{
    V2V_AUTO(mem) char *command = NULL;
    va_list args;

    va_start(args, format);
    assert_true(vasprintf(&command, format, args) >= 0);
    va_end(args);
    if (!run(command))
        fail_msg("%s", command);
}

/* The file "disk": the volume is the file "volume", put behind a first MiB. */
enum { PARTITION = 1 << 20 };

static inline void
open_test_disk(struct test_disk *disk, unsigned sector)
{
    V2V_AUTO(mem) char *path = in_top("disk");
    struct stat st;

    must("rm -f disk && truncate -s 1M disk && cat volume >>disk");
    *disk = (struct test_disk){ .fd = open(path, O_RDWR | O_CLOEXEC),
                                .offset = PARTITION,
                                .sector = sector };
    assert_true(disk->fd >= 0 && fstat(disk->fd, &st) == 0);
    disk->len = (uint64_t)st.st_size - PARTITION;
}

/* Back to the file "volume", for other programs. */
static inline void
close_test_disk(struct test_disk *disk)
{
    close(disk->fd);
    must("tail -c +%d disk >volume", PARTITION + 1);
}

static inline int
mount_test_disk(struct test_disk *disk, bool write, struct ntfs_volume **ret,
                struct v2v_error *err)
{
    const struct ntfs_disk interface = { .opaque = disk,
                                         .size = disk->offset + disk->len,
                                         .sector_size = disk->sector,
                                         .read = read_test_disk,
                                         .write =
                                             write ? write_test_disk : NULL,
                                         .flush = flush_test_disk };

    return ntfs_mount_at(&interface, disk->offset, disk->len, write, ret, err);
}

/* "volume", of a file system that Windows has closed. */
static inline void
make_volume(unsigned sector, unsigned cluster, unsigned mib)
{
    must("PATH=$PATH:/sbin:/usr/sbin; rm -f volume && truncate -s %uM volume "
         "&& mkntfs -F -Q -q -s %u -c %u -p 0 -H 255 -S 63 volume >log 2>&1 && "
         "python3 " SOURCE_DIR "/fixtures/damage journal-clean volume",
         mib, sector, cluster);
}

/* @list: a shell command that prints ntfs-fill's list, with the variable SD */
static inline void
fill_volume(const char *list)
{
    must("SD=" DESCRIPTOR "; { %s; } | " BINARY_DIR "/tests/ntfs-fill volume",
         list);
}

#endif
