/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "disk/ntfs.h"
#include "disk/probe.h"
#include "guest/guest.h"
#include "image/image.h"

/* One guest serves all tests, in the order of main(): the start of an appliance
 * takes half a minute without KVM.  With the argument "direct" there is none,
 * and the same is expected.  What was written is read from the committed image
 * by other programs, those of ntfs-3g. */
static char directory[] = "/var/tmp/v2v-appliance-XXXXXX";
static struct image *image;
static struct guest *guest;
static enum guest_choice backend = GUEST_LIBGUESTFS;

static void
run(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void
ok(int rc, const struct v2v_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

static void
print_log(void *opaque, enum v2v_log_level level, const char *module,
          const char *code, const char *text)
{
    (void)opaque;
    if (level != V2V_LOG_PROGRESS)
        printf("%s %s %s\n", module, code, text);
}

static int
start(void **state)
{
    struct guest_disk_source disk = { .format = "qcow2" };
    struct guest_machine machine = { .backend = backend,
                                     .disks = &disk,
                                     .count = 1 };
    struct v2v_error err = { 0 };

    (void)state;
    v2v_log_set(print_log, NULL);
    if (mkdtemp(directory) == NULL || chdir(directory) < 0)
        return -1;
    run("truncate -s 64M disk && mkntfs -F -Q -q disk 2>mkntfs.log && "
        "cp disk before");
    ok(image_open("disk", NULL, &image, &err), &err);
    ok(image_overlay_create(image, false, &err), &err);
    disk.image = image_overlay_path(image);
    disk.files = image_files(image);
    machine.scratch = image_scratch(image);
    ok(guest_open(&machine, &guest, &err), &err);
    return 0;
}

static int
stop(void **state)
{
    char command[128];

    (void)state;
    guest_abandon(guest);
    image_close(image);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return chdir("/") < 0 ? -1 : system(command);
}

static void
test_the_disk_is_read(void **state)
{
    struct disk_reader disk;
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    ok(guest_disk(guest, 0, &disk, &err), &err);
    assert_int_equal(disk.size, 64 << 20);
    ok(disk_probe(&disk, &layout, &err), &err);
    assert_int_equal(layout.count, 1);
    assert_int_equal(layout.volumes[0].number, 0);
    assert_int_equal(layout.volumes[0].content, DISK_NTFS);
}

static void
test_nothing_without_a_volume(void **state)
{
    struct guest_stat st;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(guest_stat(guest, "x", &st, &err), -1);
    assert_string_equal(err.text, "x: no volume is mounted");
    assert_int_equal(guest_mount(guest, 0, 3, false, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_non_null(strstr(err.text, "partition 3: cannot mount it"));
}

static void
test_read_only_is_read_only(void **state)
{
    const struct guest_file file = { "x", "x", 1 };
    struct v2v_error err = { 0 };

    (void)state;
    ok(guest_mount(guest, 0, 0, false, &err), &err);
    assert_int_equal(guest_write_files(guest, &file, 1, &err), -1);
    ok(guest_mount(guest, 0, 0, true, &err), &err);
}

static uint8_t content[300000];

static void
test_files_are_written(void **state)
{
    const struct guest_file files[] = {
        { "Windows/System32/config/SYSTEM", content, sizeof content },
        { "Windows/System32/drivers/viostor.sys", content, 5000 },
        { "windows/SYSTEM32/drivers/empty.sys", "", 0 },
        { "Windows/caf\xc3\xa9.txt", content, 1 },
        { "old.sys", "old", 3 },
    };
    struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };
    struct guest_stat st;

    (void)state;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 7 + i / 256);
    ok(guest_write_files(guest, files, sizeof files / sizeof *files, &err),
       &err);
    ok(guest_list(guest, "WINDOWS/system32", &names, &err), &err);
    assert_int_equal(names.count, 2); /* of one spelling: the first */
    assert_string_equal(names.items[0], "config");
    assert_string_equal(names.items[1], "drivers");
    v2v_strings_done(&names);
    ok(guest_stat(guest, "windows/caf\xc3\xa9.TXT", &st, &err), &err);
    assert_true(st.exists && !st.is_dir && !st.reparse && st.size == 1);
    ok(guest_stat(guest, "windows/absent/x", &st, &err), &err);
    assert_false(st.exists);
}

static void
test_files_are_replaced(void **state)
{
    const struct guest_file file = { "OLD.SYS", content, 4000 };
    V2V_AUTO(bytes) struct v2v_bytes back = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    ok(guest_write_files(guest, &file, 1, &err), &err);
    ok(guest_read(guest, "Old.sys", 4000, &back, &err), &err);
    assert_int_equal(back.len, 4000);
    assert_memory_equal(back.data, content, 4000);
    ok(guest_list(guest, "/", &names, &err), &err);
    assert_int_equal(names.count, 2); /* Windows, old.sys: no twin */
    ok(guest_head(guest, "old.sys", 16, &back, &err), &err);
    assert_int_equal(back.len, 16);
}

static void
test_writing_is_refused(void **state)
{
    static const struct {
        const char *path;
        enum v2v_error_code code;
        const char *message;
    } cases[] = {
        { "Windows/con.sys", V2V_ERR_GUEST,
          "Windows/con.sys: \"con.sys\": Windows allows no such name" },
        { "Windows/System32", V2V_ERR_GUEST,
          "Windows/System32: /Windows/System32 is a directory" },
        { "old.sys/x", V2V_ERR_GUEST,
          "old.sys/x: /old.sys is not a directory" },
        { "new/../../x", V2V_ERR_GUEST,
          "new/../../x: the path holds \".\" or \"..\"" },
        { "", V2V_ERR_GUEST, ": no name of a file" },
    };
    static const struct guest_file twice[] = { { "a/b", "x", 1 },
                                               { "A/B", "y", 1 } };
    static const struct guest_file both[] = { { "a", "x", 1 },
                                              { "A/B", "y", 1 } };
    struct v2v_error err = { 0 };
    struct guest_stat st;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* the good one is not written either */
        const struct guest_file files[] = { { "good.sys", "x", 1 },
                                            { cases[i].path, "x", 1 } };

        assert_int_equal(guest_write_files(guest, files, 2, &err), -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
    }
    assert_int_equal(guest_write_files(guest, twice, 2, &err), -1);
    assert_string_equal(err.text, "/a/B: written twice");
    assert_int_equal(guest_write_files(guest, both, 2, &err), -1);
    assert_string_equal(err.text, "/a: both a file and a directory");
    ok(guest_stat(guest, "good.sys", &st, &err), &err);
    assert_false(st.exists);
}

static void
test_a_full_volume_is_refused_before(void **state)
{
    static uint8_t much[64 << 20];
    const struct guest_file file = { "much", much, sizeof much };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(guest_write_files(guest, &file, 1, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_non_null(strstr(err.text, "KiB free, the files need 65544"));
}

static void
test_reading_is_refused(void **state)
{
    static const struct {
        const char *path;
        enum v2v_error_code code;
        const char *message;
    } cases[] = {
        { "absent", V2V_ERR_NOT_FOUND, "absent: absent" },
        { "absent/x", V2V_ERR_NOT_FOUND, "absent/x: /absent is absent" },
        { "Windows", V2V_ERR_GUEST, "Windows: a directory" },
        { "old.sys", V2V_ERR_GUEST,
          "old.sys: 4000 bytes are more than the limit of 3999" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes back = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(guest_read(guest, cases[i].path, 3999, &back, &err),
                         -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
    }
}

/* What differs is written. */
static int
patch(struct guest *to, const char *path, const uint8_t *old, size_t old_len,
      const uint8_t *new, size_t new_len, struct v2v_error *err)
{
    V2V_AUTO(ranges) struct v2v_ranges changed = { 0 };
    struct v2v_range r = { 0, 0 };

    while (v2v_range_next(old, old_len, new, new_len, r.end, &r))
        if (v2v_ranges_add(&changed, r, err) < 0)
            return -1;
    return guest_patch_file(to, path, old_len, new, new_len, &changed, err);
}

static void
test_a_hive_is_patched(void **state)
{
    static const char path[] = "windows/system32/CONFIG/system";
    static uint8_t old[sizeof content], new[sizeof content + 70000];
    struct v2v_error err = { 0 };

    (void)state;
    memcpy(old, content, sizeof old);
    memcpy(new, content, sizeof content);
    new[100] ^= 1;
    new[200000] ^= 1;
    ok(patch(guest, path, old, sizeof old, new, sizeof new, &err), &err);
    ok(patch(guest, path, new, sizeof new, old, 250001, &err), &err);
    /* what it held is not what the caller thinks */
    ok(patch(guest, path, new, 250001, new, 250001, &err), &err);
    assert_int_equal(guest_check_content(guest, path, new, 250001, &err), -1);
    assert_non_null(strstr(err.text, "does not hold what was written"));
    assert_int_equal(patch(guest, path, old, 5, old, 5, &err), -1);
    assert_non_null(strstr(err.text, "has 250001 bytes, not the 5 that were "
                                     "read"));
}

/* Kept for the committed image, which tells whether they are right. */
static struct {
    const char *path;
    uint64_t number;
} numbered[] = { { "Windows/System32/config/SYSTEM", 0 },
                 { "windows/SYSTEM32/drivers/viostor.sys", 0 },
                 { "old.sys", 0 },
                 { "Windows", 0 } };

static void
test_files_have_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
        struct guest_stat st;
        struct v2v_error err = { 0 };

        ok(guest_stat(guest, numbered[i].path, &st, &err), &err);
        assert_true(st.exists);
        numbered[i].number = st.file_number;
    }
}

static void
test_the_image_changes_at_the_commit(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    ok(guest_close(v2v_steal(guest), &err), &err);
    run("cmp disk before");
    ok(image_commit(image, &(struct image_change){ .what = "" }, &err), &err);
    image_close(v2v_steal(image));
}

/* Everyone (S-1-1-0) is what ntfs-3g gives to files that come without. */
static void
test_others_see_the_same(void **state)
{
    static const char *const paths[] = { "Windows", "Windows/System32/drivers",
                                         "Windows/System32/config/SYSTEM",
                                         "old.sys" };
    FILE *f = fopen("expected", "w");

    (void)state;
    assert_non_null(f);
    assert_int_equal(fwrite(content, 1, 250001, f), 250001);
    fclose(f);
    run("ntfscat -f disk Windows/System32/config/SYSTEM | cmp - expected");
    run("ntfscat -f disk Windows/System32/drivers/viostor.sys | "
        "cmp -n 5000 - expected");
    run("ntfsresize -i -f disk >resize.log 2>&1"); /* counts all clusters */
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char command[512];

        snprintf(command, sizeof command,
                 "ntfssecaudit -v disk '/%s' 2>/dev/null | awk '/^ +[0-9a-f]+  "
                 "/ { for (i = 2; i <= NF; i++) printf \"%%s\", $i }' >sd && "
                 "test -s sd && ! grep -q 010100000000000100000000 sd",
                 paths[i]);
        run(command);
    }
}

static int
read_file(void *opaque, uint64_t offset, void *buf, size_t len,
          struct v2v_error *err)
{
    if (fseek(opaque, (long)offset, SEEK_SET) != 0 ||
        fread(buf, 1, len, opaque) != len)
        return v2v_fail(err, V2V_ERR_INTERNAL, "cannot read");
    return 0;
}

/* The number leads to the file: for ifind, and without any look-up of names
 * to what was written. */
static void
test_the_numbers_are_those_of_mft_records(void **state)
{
    struct disk_reader disk = { read_file, fopen("disk", "rb"), 64 << 20 };
    struct ntfs_place place;
    struct v2v_error err = { 0 };
    uint8_t start[4096];

    (void)state;
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
        char command[200];

        snprintf(command, sizeof command,
                 "test \"$(ifind -n '/%s' disk)\" = %llu", numbered[i].path,
                 (unsigned long long)numbered[i].number);
        run(command);
    }
    assert_non_null(disk.opaque);
    ok(ntfs_file_place(&disk, 0, disk.size, numbered[0].number, sizeof start,
                       &place, &err),
       &err);
    assert_int_equal(place.extents[0].len, sizeof start);
    ok(read_file(disk.opaque, place.extents[0].offset, start, sizeof start,
                 &err),
       &err);
    assert_memory_equal(start, content, sizeof start);
    fclose(disk.opaque);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_disk_is_read),
        cmocka_unit_test(test_nothing_without_a_volume),
        cmocka_unit_test(test_read_only_is_read_only),
        cmocka_unit_test(test_files_are_written),
        cmocka_unit_test(test_files_are_replaced),
        cmocka_unit_test(test_writing_is_refused),
        cmocka_unit_test(test_a_full_volume_is_refused_before),
        cmocka_unit_test(test_reading_is_refused),
        cmocka_unit_test(test_a_hive_is_patched),
        cmocka_unit_test(test_files_have_numbers),
        cmocka_unit_test(test_the_image_changes_at_the_commit),
        cmocka_unit_test(test_others_see_the_same),
        cmocka_unit_test(test_the_numbers_are_those_of_mft_records),
    };

    if (argc > 1 && strcmp(argv[1], guest_choice_name(GUEST_DIRECT)) == 0)
        backend = GUEST_DIRECT;
    return cmocka_run_group_tests(tests, start, stop);
}
