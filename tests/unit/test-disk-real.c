/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks made by other programs (sfdisk, fdisk, mkntfs), and what yet others
 * say of them (sfdisk, mmls, ntfsinfo).  Skipped where these are absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "disk/ntfs.h"
#include "disk/probe.h"
#include "test-disk-image.h"

enum { SKIPPED = 77, IMAGE_MAX = 64 << 20 };

#define DISK "disk-real.img"
#define IN_DIR                                                                 \
    "PATH=\"$PATH:/usr/sbin:/sbin\"; export PATH; cd '" BINARY_DIR "' && "

static void
run(const char *command)
{
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* Output of a command, at most some kilobytes. */
static const char *
output(const char *command)
{
    static char text[16384];
    FILE *f = popen(command, "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    assert_int_equal(pclose(f), 0);
    return text;
}

static struct v2v_bytes file;
static struct image image;

static struct disk_reader
load_disk(void)
{
    struct v2v_error err = { 0 };

    v2v_bytes_done(&file);
    if (v2v_file_read(BINARY_DIR "/" DISK, IMAGE_MAX, &file, &err) < 0)
        fail_msg("%s", err.text);
    image = (struct image){ file.data, file.len, false };
    return (struct disk_reader){ image_read, &image, file.len };
}

/* "number start length", in sectors, a line for each volume */
static void
describe(const struct disk_layout *layout, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < layout->count; i++)
        used += (size_t)snprintf(
            text + used, size - used, "%u %llu %llu\n",
            layout->volumes[i].number,
            (unsigned long long)layout->volumes[i].offset / layout->sector_size,
            (unsigned long long)layout->volumes[i].len / layout->sector_size);
}

static const char *const scripts[] = {
    "label: gpt\\nstart=2048,size=2048,type=uefi\\nsize=4096\\nsize=30000\\n",
    "label: dos\\nstart=2048,size=2048,type=7,bootable\\n"
    "start=6144,size=16384,type=f\\nstart=30000,size=2000,type=7\\n"
    "start=8192,size=4096,type=7\\nstart=14336,size=6144,type=b\\n",
};

/* sfdisk leaves out nothing; the extended partition is no volume of ours. */
static void
test_tables_as_sfdisk_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
        struct disk_reader disk;
        struct v2v_error err = { 0 };
        char command[1000], ours[1000];

        snprintf(command, sizeof command,
                 IN_DIR "rm -f " DISK " && truncate -s 32M " DISK
                        " && printf '%s' | sfdisk -q " DISK,
                 scripts[i]);
        run(command);
        disk = load_disk();
        assert_int_equal(disk_probe(&disk, &layout, &err), 0);
        describe(&layout, ours, sizeof ours);
        assert_string_equal(
            output(IN_DIR
                   "sfdisk -d " DISK " | grep -v 'type=f' |"
                   " sed -n 's/^.*img\\([0-9]*\\) : start= *\\([0-9]*\\),"
                   " size= *\\([0-9]*\\),.*/\\1 \\2 \\3/p'"),
            ours);
        /* mmls numbers otherwise: compare what is where */
        for (size_t v = 0; v < layout.count; v++) {
            snprintf(command, sizeof command,
                     IN_DIR "mmls -a " DISK " | grep -q '%010llu.*%010llu'",
                     (unsigned long long)layout.volumes[v].offset / 512,
                     (unsigned long long)layout.volumes[v].len / 512);
            run(command);
        }
    }
}

static void
test_gpt_of_4k_sectors(void **state)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct disk_reader disk;
    struct v2v_error err = { 0 };
    char ours[1000];

    (void)state;
    run(IN_DIR
        "rm -f " DISK " && truncate -s 32M " DISK
        " && printf 'g\\nn\\n1\\n256\\n2000\\nn\\n5\\n2048\\n4000\\nw\\n'"
        " | fdisk -b 4096 " DISK " >/dev/null");
    disk = load_disk();
    assert_int_equal(disk_probe(&disk, &layout, &err), 0);
    describe(&layout, ours, sizeof ours);
    assert_string_equal(ours, "1 256 1745\n5 2048 1953\n");
    assert_int_equal(layout.sector_size, 4096);
}

/* Of mkntfs' volumes with clusters of several sizes, what ntfsinfo says. */
static void
test_ntfs_as_ntfsinfo_reads_it(void **state)
{
    static const char *const options[] = { "-c 512", "-c 4096", "-c 65536",
                                           "-c 2097152", "-s 4096 -c 4096" };

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct ntfs_state s = { 0 };
        struct v2v_error err = { 0 };
        struct disk_reader disk;
        char command[1000], ours[200];

        snprintf(command, sizeof command,
                 IN_DIR "rm -f " DISK " && truncate -s 60M " DISK
                        " && mkntfs -qFf %s " DISK " >/dev/null 2>&1",
                 options[i]);
        run(command);
        disk = load_disk();
        if (ntfs_state_read(&disk, 0, disk.size, &s, &err) < 0)
            fail_msg("%s: %s", options[i], err.text);
        assert_int_equal(s.journal, NTFS_JOURNAL_EMPTY);
        snprintf(ours, sizeof ours, "0x%04x\n%u.%u\n%u\n", s.flags, s.major,
                 s.minor, s.cluster_size);
        assert_string_equal(
            output(IN_DIR "ntfsinfo -m " DISK " | sed -n"
                          " -e 's/^.*Volume Flags: \\(0x[0-9a-f]*\\).*/\\1/p'"
                          " -e 's/^.*Volume Version: //p'"
                          " -e 's/^.*Cluster Size: //p' | awk '!seen[$0]++'"),
            ours);
    }
}

static int
tear_down(void **state)
{
    (void)state;
    v2v_bytes_done(&file);
    remove(BINARY_DIR "/" DISK);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_as_sfdisk_reads_them),
        cmocka_unit_test(test_gpt_of_4k_sectors),
        cmocka_unit_test(test_ntfs_as_ntfsinfo_reads_it),
    };

    if (system(IN_DIR "command -v sfdisk fdisk mkntfs ntfsinfo mmls "
                      ">/dev/null") != 0) {
        puts("skipped: needs sfdisk, fdisk (fdisk), mkntfs, ntfsinfo "
             "(ntfs-3g) and mmls (sleuthkit)");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
