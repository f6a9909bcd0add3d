/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FAT volumes that mkfs.vfat makes and mtools fills, behind a first MiB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>

#include "disk/fat.h"
#include "test-tools.h"

enum { VOLUME = 1 << 20 };

static struct v2v_error err;
static int fd = -1;

static int
read_file(void *opaque, uint64_t offset, void *buf, size_t len,
          struct v2v_error *error)
{
    (void)opaque;
    return pread(fd, buf, len, (off_t)offset) == (ssize_t)len
               ? 0
               : v2v_fail(error, V2V_ERR_INTERNAL, "cannot read");
}

/* "vol" as the second part of "disk". */
static int
open_volume(struct fat *ret)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/disk", top);
    struct disk_reader disk = { .read = read_file };

    assert_true(run("truncate -s 1M start && cat start vol >disk"));
    if (fd >= 0)
        close(fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    disk.size = (uint64_t)lseek(fd, 0, SEEK_END);
    return fat_open(&disk, VOLUME, disk.size - VOLUME, ret, &err);
}

static void
expect_file(struct fat *fat, const char *path, const char *host)
{
    V2V_AUTO(mem) char *name = v2v_format(NULL, "%s/%s", top, host);
    V2V_AUTO(bytes) struct v2v_bytes want = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };

    assert_int_equal(v2v_file_read(name, 8 << 20, &want, &err), 0);
    if (fat_read(fat, path, 0, SIZE_MAX, &got, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    for (size_t at = 1; at < want.len; at = at * 3 + 7) { /* parts of it */
        size_t len = want.len - at < 5000 ? want.len - at : 5000;

        got.len = 0;
        assert_int_equal(fat_read(fat, path, at, 5000, &got, &err), 0);
        assert_int_equal(got.len, len);
        assert_memory_equal(got.data, want.data + at, len);
    }
}

static void
expect_name(struct fat *fat, const char *dir, const char *asked,
            const char *spelled, bool is_directory)
{
    V2V_AUTO(mem) char *name = NULL;
    struct fat_entry entry;

    assert_int_equal(fat_lookup(fat, dir, asked, &name, &entry, &err), 1);
    assert_string_equal(name, spelled);
    assert_int_equal(entry.is_directory, is_directory);
}

static const struct {
    const char *options;
    unsigned bits, mib;
} volumes[] = {
    { "-F 12", 12, 2 },       { "-F 12 -s 16", 12, 20 },
    { "-F 16", 16, 16 },      { "-F 16 -S 4096", 16, 64 },
    { "-F 32 -s 1", 32, 34 }, { "-F 32 -S 4096", 32, 300 },
};

/* A file in pieces, a directory of several clusters, long and short names. */
static const char *const tree =
    "rm -rf in; mkdir in; seq 20000 >in/hole; seq 90000 >in/big; seq 9 "
    ">in/small; : >in/empty; "
    "mmd -i vol ::/EFI ::/EFI/Microsoft ::/EFI/Microsoft/Boot ::/many && "
    "mcopy -i vol in/hole ::/hole1 && mcopy -i vol in/small ::/a && "
    "mcopy -i vol in/hole ::/hole2 && mdel -i vol ::/hole1 && "
    "mcopy -i vol in/big ::/EFI/Microsoft/Boot/bootmgfw.efi && "
    "mcopy -i vol in/small '::/EFI/Microsoft/Boot/A long name, ☃.txt' && "
    "mcopy -i vol in/empty ::/EFI/Microsoft/Boot/BCD && "
    "for i in $(seq 200); do cp in/small in/File-number-$i.txt; done && "
    "mcopy -i vol in/File-* ::/many";

static void
test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof volumes / sizeof *volumes; i++) {
        V2V_AUTO(mem)
        char *make = v2v_format(
            NULL,
            "export LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1 PATH=$PATH:/sbin; "
            "rm -f vol; truncate -s %uM vol; mkfs.vfat %s vol >log; %s",
            volumes[i].mib, volumes[i].options, tree);
        V2V_AUTO(strings) struct v2v_strings names = { 0 };
        V2V_AUTO(mem) char *name = NULL;
        struct fat_entry entry;
        struct fat fat;

        assert_true(run(make));
        if (open_volume(&fat) < 0)
            fail_msg("%s: %s", volumes[i].options, err.text);
        assert_int_equal(fat.bits, volumes[i].bits);
        expect_name(&fat, "/", "efi", "EFI", true);
        expect_name(&fat, "/EFI/Microsoft", "BOOT", "Boot", true);
        expect_name(&fat, "/EFI/Microsoft/Boot", "BOOTMGFW.EFI", "bootmgfw.efi",
                    false);
        expect_name(&fat, "/efi/microsoft/boot", "ALONGN~1.TXT",
                    "A long name, ☃.txt", false);
        expect_name(&fat, "/many", "FILE-NUMBER-200.TXT", "File-number-200.txt",
                    false);
        assert_int_equal(fat_lookup(&fat, "/many", "File-number-201.txt", &name,
                                    &entry, &err),
                         0);
        assert_string_equal(name, "File-number-201.txt");
        assert_int_equal(fat_list(&fat, "/many", 200, &names, &err), 0);
        assert_int_equal(names.count, 200);
        assert_int_equal(fat_list(&fat, "/many", 199, &names, &err), -1);
        assert_int_equal(err.code, V2V_ERR_GUEST);
        expect_file(&fat, "/EFI/Microsoft/Boot/bootmgfw.efi", "in/big");
        expect_file(&fat, "/EFI/Microsoft/Boot/A long name, ☃.txt", "in/small");
        expect_file(&fat, "/EFI/Microsoft/Boot/BCD", "in/empty");
        expect_file(&fat, "/hole2", "in/hole");
        expect_file(&fat, "/many/File-number-77.txt", "in/small");
    }
}

/* mtools and the count of clusters say FAT16; Windows, Linux and the table,
 * FAT32. */
static void
test_small_fat32(void **state)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct fat fat;

    (void)state;
    assert_true(run("PATH=$PATH:/sbin; rm -f vol; truncate -s 8M vol; "
                    "mkfs.vfat -F 32 -n LABEL vol >log"));
    assert_int_equal(open_volume(&fat), 0);
    assert_int_equal(fat.bits, 32);
    assert_int_equal(fat_list(&fat, "/", 1, &names, &err), 0);
    assert_int_equal(names.count, 0);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *dir, *name;
        enum v2v_error_code code;
        const char *text;
    } cases[] = {
        { "/absent", "x", V2V_ERR_NOT_FOUND, "/absent: absent is absent" },
        { "/file", "x", V2V_ERR_GUEST, "/file: /file is not a directory" },
        { "/file/x", "x", V2V_ERR_GUEST, "/file is not a directory" },
    };
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct fat fat;

    (void)state;
    assert_true(
        run("PATH=$PATH:/sbin; rm -f vol; truncate -s 4M vol; "
            "mkfs.vfat vol >log; seq 9 >file; mcopy -i vol file ::/file; "
            "mmd -i vol ::/dir"));
    assert_int_equal(open_volume(&fat), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem) char *name = NULL;
        struct fat_entry entry;

        assert_int_equal(
            fat_lookup(&fat, cases[i].dir, cases[i].name, &name, &entry, &err),
            -1);
        assert_int_equal(err.code, cases[i].code);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s", err.text);
        assert_null(name);
    }
    assert_int_equal(fat_read(&fat, "/dir", 0, 1, &got, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_int_equal(fat_list(&fat, "/file", 1, &names, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
}

/* A FAT32 of 4 sectors before its tables, one sector a cluster. */
static void
test_damaged(void **state)
{
    static const struct {
        const char *command, *message;
    } cases[] = {
        { "truncate -s 30M vol", "damaged: 31457280 bytes long" },
        { "printf '\\377\\377\\377\\377' | $dd seek=44",
          "leads to 4294967295" },
        { "printf '\\001' | $dd seek=36; printf '\\000\\000' | $dd seek=37",
          "damaged: its table is too small" },
        { "printf '\\003' | $dd seek=40; printf '\\203' | $dd seek=40",
          "damaged: the root directory ends" },
        { "printf x | $dd seek=510", "no FAT boot sector" },
        { "printf '\\003' | $dd seek=13", "no FAT boot sector" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *make = v2v_format(
            NULL,
            "PATH=$PATH:/sbin; dd='dd of=vol bs=1 conv=notrunc'; rm -f vol; "
            "truncate -s 34M vol; mkfs.vfat -F 32 -s 1 vol >log; %s",
            cases[i].command);
        struct fat fat;

        assert_true(run(make));
        assert_int_equal(open_volume(&fat), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_small_fat32),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
