/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "disk/probe.h"
#include "test-tools.h"
#include "tree-guest.h"

/* What guest/ decides whatever its backend: on folders, in milliseconds.  The
 * same on a real NTFS: tests/guest/appliance.c. */
static struct guest *guest;

static void
must_run(const char *command)
{
    if (!run(command))
        fail_msg("%s", command);
}

static void
ok(int rc, const struct v2v_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

static struct guest *
open_tree(const char *name)
{
    V2V_AUTO(mem) char *dir = v2v_format(NULL, "%s/%s", top, name);
    struct guest *ret = NULL;
    struct v2v_error err = { 0 };

    assert_non_null(dir);
    ok(tree_guest_open(dir, &ret, &err), &err);
    return ret;
}

static int
start(void **state)
{
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/fixtures:%s:/usr/sbin:/sbin", SOURCE_DIR,
                            getenv("PATH"));
    struct v2v_error err = { 0 };

    if (make_top(state) < 0 || path == NULL || setenv("PATH", path, 1) < 0)
        return -1;
    if (!run("{ command -v mkntfs && command -v sfdisk && "
             "command -v mkfs.vfat; } >/dev/null")) {
        printf("skipped: mkntfs, sfdisk or mkfs.vfat is missing\n");
        remove_top(state);
        exit(SKIPPED);
    }
    must_run("mkguest --tree --gpt guest");
    must_run("ln -s Windows guest/0-3/Documents");
    guest = open_tree("guest");
    ok(guest_mount(guest, 0, 3, true, &err), &err);
    return 0;
}

static int
stop(void **state)
{
    guest_abandon(guest);
    return remove_top(state);
}

static void
test_the_disks_are_read(void **state)
{
    struct disk_reader disk;
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(guest_disk_count(guest), 1);
    assert_string_equal(guest_place(guest, 0, 3).text, "partition 3");
    ok(guest_disk(guest, 0, &disk, &err), &err);
    assert_int_equal(disk.size, 256 << 20);
    ok(disk_probe(&disk, &layout, &err), &err);
    assert_int_equal(layout.count, 3);
    assert_true(layout.volumes[0].esp);
    assert_int_equal(layout.volumes[2].content, DISK_NTFS);
}

static void
test_paths_without_regard_to_case(void **state)
{
    static const char *const same[] = { "Windows/System32/config/SYSTEM",
                                        "windows/SYSTEM32/Config/system",
                                        "//WINDOWS/system32//config/System/" };
    struct guest_stat first = { 0 }, st;
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        ok(guest_stat(guest, same[i], &st, &err), &err);
        assert_true(st.exists && !st.is_dir && !st.reparse && st.size > 4096);
        if (i == 0)
            first = st;
        assert_int_equal(st.file_number, first.file_number);
    }
    ok(guest_stat(guest, "windows/absent/x", &st, &err), &err);
    assert_false(st.exists);
    ok(guest_stat(guest, "", &st, &err), &err);
    assert_true(st.is_dir);
    ok(guest_stat(guest, "Documents", &st, &err), &err);
    assert_true(st.exists && st.reparse && !st.is_dir && st.size == 0);
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
        { "documents/explorer.exe", V2V_ERR_GUEST,
          "documents/explorer.exe: /Documents is a reparse point, which is not "
          "followed" },
        { "Documents", V2V_ERR_GUEST,
          "Documents: a reparse point, whose content only Windows knows" },
        { "Windows/../Windows", V2V_ERR_GUEST,
          "Windows/../Windows: the path holds \".\" or \"..\"" },
        { "./Windows", V2V_ERR_GUEST,
          "./Windows: the path holds \".\" or \"..\"" },
        { "Windows/explorer.exe/x", V2V_ERR_GUEST,
          "Windows/explorer.exe/x: /Windows/explorer.exe is not a directory" },
        { "hiberfil.sys", V2V_ERR_GUEST,
          "hiberfil.sys: 65536 bytes are more than the limit of 65535" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes back = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(guest_read(guest, cases[i].path, 65535, &back, &err),
                         -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
    }
}

static void
test_lists_are_sorted(void **state)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    ok(guest_list(guest, "WINDOWS/inf", &names, &err), &err);
    assert_int_equal(names.count, 4);
    assert_string_equal(names.items[0], "mshdc.inf");
    assert_string_equal(names.items[3], "oem2.inf");
    assert_int_equal(guest_list(guest, "hiberfil.sys", &names, &err), -1);
    assert_string_equal(err.text, "hiberfil.sys: not a directory");
    assert_int_equal(guest_list(guest, "absent", &names, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);
    assert_int_equal(names.count, 4); /* as it was */
}

static uint8_t content[300000];

static void
test_files_are_written(void **state)
{
    const struct guest_file files[] = {
        { "Windows/New/a.sys", content, sizeof content },
        { "windows/NEW/sub/empty.sys", "", 0 },
        { "EXPLORER.exe", content, 1 },
        { "windows/EXPLORER.exe", content, 5000 },
        { "documents", content, 2 }, /* a reparse point is replaced */
    };
    V2V_AUTO(bytes) struct v2v_bytes back = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct guest_stat st;
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 7 + i / 256);
    ok(guest_write_files(guest, files, sizeof files / sizeof *files, &err),
       &err);
    ok(guest_list(guest, "windows/new", &names, &err), &err);
    assert_int_equal(names.count, 2); /* of one spelling: the first */
    assert_string_equal(names.items[0], "a.sys");
    ok(guest_read(guest, "WINDOWS/new/A.SYS", GUEST_FILE_MAX, &back, &err),
       &err);
    assert_int_equal(back.len, sizeof content);
    assert_memory_equal(back.data, content, sizeof content);
    ok(guest_head(guest, "windows/new/a.sys", 16, &back, &err), &err);
    assert_int_equal(back.len, 16);
    ok(guest_stat(guest, "Documents", &st, &err), &err);
    assert_true(!st.reparse && st.size == 2);
    /* no twins of another spelling, and what the link pointed to is there */
    must_run("test -s guest/0-3/Windows/explorer.exe && "
             "test ! -e guest/0-3/Windows/EXPLORER.exe && "
             "test ! -e guest/0-3/documents && test -d guest/0-3/Windows");
}

static void
test_writing_is_refused(void **state)
{
    static const struct {
        const char *path;
        const char *message;
    } cases[] = {
        { "Windows/con.sys",
          "Windows/con.sys: \"con.sys\": Windows allows no such name" },
        { "Windows/a:b/c", "Windows/a:b/c: \"a:b\": Windows allows no such "
                           "character in a name" },
        { "Windows/System32",
          "Windows/System32: /Windows/System32 is a directory" },
        { "explorer.exe/x",
          "explorer.exe/x: /EXPLORER.exe is not a directory" },
        { "link/x", "link/x: /link is a reparse point, which is not followed" },
        { "new/../../x", "new/../../x: the path holds \".\" or \"..\"" },
        { "", ": no name of a file" },
    };
    static const struct guest_file twice[] = { { "a/b", "x", 1 },
                                               { "A/B", "y", 1 } };
    static const struct guest_file both[] = { { "a", "x", 1 },
                                              { "A/B", "y", 1 } };
    struct v2v_error err = { 0 };
    struct guest_stat st;

    (void)state;
    must_run("ln -s / guest/0-3/link");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* the good one is not written either */
        const struct guest_file files[] = { { "good.sys", "x", 1 },
                                            { cases[i].path, "x", 1 } };

        assert_int_equal(guest_write_files(guest, files, 2, &err), -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, V2V_ERR_GUEST);
    }
    assert_int_equal(guest_write_files(guest, twice, 2, &err), -1);
    assert_string_equal(err.text, "/a/B: written twice");
    assert_int_equal(guest_write_files(guest, both, 2, &err), -1);
    assert_string_equal(err.text, "/a: both a file and a directory");
    ok(guest_stat(guest, "good.sys", &st, &err), &err);
    assert_false(st.exists);
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
test_a_file_is_patched(void **state)
{
    static const char path[] = "windows/NEW/a.SYS";
    static uint8_t old[sizeof content], new[sizeof content + 70000];
    V2V_AUTO(bytes) struct v2v_bytes back = { 0 };
    struct guest_stat before, after;
    struct v2v_error err = { 0 };

    (void)state;
    memcpy(old, content, sizeof old);
    memcpy(new, content, sizeof content);
    new[100] ^= 1;
    new[200000] ^= 1;
    ok(guest_stat(guest, path, &before, &err), &err);
    ok(patch(guest, path, old, sizeof old, new, sizeof new, &err), &err);
    ok(patch(guest, path, new, sizeof new, old, 250001, &err), &err);
    ok(guest_stat(guest, path, &after, &err), &err);
    assert_int_equal(after.file_number, before.file_number); /* in place */
    ok(guest_read(guest, path, GUEST_FILE_MAX, &back, &err), &err);
    assert_int_equal(back.len, 250001);
    assert_memory_equal(back.data, old, 250001);
    /* what it held is not what the caller thinks */
    ok(patch(guest, path, new, 250001, new, 250001, &err), &err);
    assert_int_equal(guest_check_content(guest, path, new, 250001, &err), -1);
    assert_string_equal(err.text, "windows/NEW/a.SYS: it does not hold what "
                                  "was written");
    assert_int_equal(patch(guest, path, old, 5, old, 5, &err), -1);
    assert_string_equal(err.text, "windows/NEW/a.SYS: has 250001 bytes, not "
                                  "the 5 that were read");
}

static void
test_a_full_volume_is_refused_before(void **state)
{
    struct guest *full;
    const struct guest_file file = { "much", content, 9000 };
    uint64_t space = 0;
    struct v2v_error err = { 0 };

    (void)state;
    must_run("mkguest --tree --full full");
    full = open_tree("full");
    ok(guest_mount(full, 0, 1, true, &err), &err);
    ok(guest_free_space(full, &space, &err), &err);
    assert_int_equal(space, 8192); /* mkguest's FULL_LEFT */
    assert_int_equal(guest_write_files(full, &file, 1, &err), -1);
    assert_string_equal(err.text,
                        "the volume has 8 KiB free, the files need 16");
    assert_int_equal(err.code, V2V_ERR_GUEST);
    guest_abandon(full);
}

/* Of each state in which a volume is not to be mounted. */
static void
test_mounting(void **state)
{
    static const struct {
        const char *tree;
        unsigned partition;
        bool fat, write;
        const char *message; /* NULL: it is mounted */
    } cases[] = {
        { "guest", 3, false, false, NULL },
        { "guest", 1, true, false, NULL },
        { "guest", 1, false, false,
          "partition 1: cannot mount it (NTFS): no such volume" },
        { "guest", 3, true, false,
          "partition 3: cannot mount it (FAT): no such volume" },
        { "guest", 9, false, false,
          "partition 9: cannot mount it (NTFS): no such volume" },
        { "open", 1, false, false, NULL },
        { "open", 1, false, true, "partition 1: the volume cannot be written" },
        { "open", 2, false, false,
          "partition 2: cannot mount it (NTFS): no folder of its files" },
    };

    (void)state;
    must_run("mkguest --tree --two --unclean-journal open && "
             "rm -r open/0-2");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guest *tree = open_tree(cases[i].tree);
        unsigned partition = cases[i].partition;
        struct v2v_error err = { 0 };
        int rc = cases[i].fat
                     ? guest_mount_fat(tree, 0, partition, &err)
                     : guest_mount(tree, 0, partition, cases[i].write, &err);

        assert_string_equal(err.text,
                            cases[i].message == NULL ? "" : cases[i].message);
        assert_int_equal(rc, cases[i].message == NULL ? 0 : -1);
        assert_int_equal(err.code, rc == 0 ? V2V_OK : V2V_ERR_GUEST);
        ok(guest_close(tree, &err), &err);
    }
}

static void
test_two_disks(void **state)
{
    struct guest *tree;
    struct guest_stat st;
    struct v2v_error err = { 0 };

    (void)state;
    must_run("mkguest --tree two && mkguest --tree --no-windows data && "
             "mv data/disk0.raw two/disk1.raw && mv data/0-1 two/1-1");
    tree = open_tree("two");
    assert_int_equal(guest_disk_count(tree), 2);
    ok(guest_mount(tree, 1, 1, false, &err), &err);
    ok(guest_stat(tree, "data.txt", &st, &err), &err);
    assert_true(st.exists);
    ok(guest_mount(tree, 0, 1, false, &err), &err); /* in its place */
    ok(guest_stat(tree, "data.txt", &st, &err), &err);
    assert_false(st.exists);
    assert_int_equal(guest_mount(tree, 1, 2, false, &err), -1);
    assert_string_equal(err.text, "disk 2, partition 2: cannot mount it "
                                  "(NTFS): no such volume");
    guest_abandon(tree);
}

static void
test_only_with_a_volume_that_is_mounted_for_it(void **state)
{
    static const struct guest_file file = { "x", "x", 1 };
    struct guest *tree = open_tree("guest");
    struct guest_stat st;
    uint64_t space;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(guest_stat(tree, "x", &st, &err), -1);
    assert_string_equal(err.text, "x: no volume is mounted");
    assert_int_equal(guest_write_files(tree, &file, 1, &err), -1);
    assert_string_equal(err.text, "no volume is mounted");
    assert_int_equal(guest_free_space(tree, &space, &err), -1);
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
    ok(guest_mount(tree, 0, 3, false, &err), &err);
    assert_int_equal(guest_write_files(tree, &file, 1, &err), -1);
    assert_string_equal(err.text, "the volume is mounted to be read only");
    /* a mount that fails leaves none */
    assert_int_equal(guest_mount(tree, 0, 9, false, &err), -1);
    assert_int_equal(guest_stat(tree, "x", &st, &err), -1);
    guest_abandon(tree);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_disks_are_read),
        cmocka_unit_test(test_paths_without_regard_to_case),
        cmocka_unit_test(test_reading_is_refused),
        cmocka_unit_test(test_lists_are_sorted),
        cmocka_unit_test(test_files_are_written),
        cmocka_unit_test(test_writing_is_refused),
        cmocka_unit_test(test_a_file_is_patched),
        cmocka_unit_test(test_a_full_volume_is_refused_before),
        cmocka_unit_test(test_mounting),
        cmocka_unit_test(test_two_disks),
        cmocka_unit_test(test_only_with_a_volume_that_is_mounted_for_it),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
