/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes of several shapes, read and written, and what other programs say of
 * them: 7z, sleuthkit, ntfscat, and the accounts of ntfsfix and ntfsresize. */
#include "test-ntfs.h"

static const struct shape {
    unsigned sector, cluster, mib;
    bool by_7z; /* which knows no sectors but those of 512 bytes */
} shapes[] = { { 512, 512, 24, true },
               { 512, 4096, 24, true },
               { 512, 65536, 48, true },
               { 4096, 4096, 24, false },
               { 4096, 65536, 48, false } };

enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct v2v_error err;

/* ---- what is there ---- */

/* Long and other names, a directory of many index blocks, content in the
 * record, in one run and in many, with the list of attributes elsewhere. */
static const char *const tree =
    "mkdir -p model/Windows/System32 model/many \"model/Grüße 日本\"; "
    "seq 60000 >model/Windows/System32/big; seq 20 >model/Windows/small; "
    ": >model/Windows/empty; cp model/Windows/small "
    "\"model/Grüße 日本/ein langer Name mit ☃ und mehr als 8.3 Zeichen.txt\"; "
    "for i in $(seq 700); do echo $i >model/many/File-$i.txt; done; "
    "(cd model && find . -mindepth 1 -type d | cut -c3-) | sort | "
    "sed \"s/^/dir\\t$SD\\t/\"; "
    "(cd model && find . -type f | cut -c3-) | sort | "
    "sed \"s|\\(.*\\)|file\\t$SD\\t\\1\\tmodel/\\1|\"";

static void
expect_content(struct ntfs_volume *volume, const char *path, const char *host)
{
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes want = { 0 };
    V2V_AUTO(mem) char *name = in_top(host);

    assert_int_equal(v2v_file_read(name, 64 << 20, &want, &err), 0);
    if (ntfs_read(volume, path, 0, want.len + 1, &got, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
}

static void
expect_entry(struct ntfs_volume *volume, const char *dir, const char *name,
             const char *spelled, bool is_dir, uint64_t size)
{
    V2V_AUTO(mem) char *found = NULL;
    struct ntfs_entry entry;

    if (ntfs_lookup(volume, dir, name, &found, &entry, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(found, spelled);
    assert_true(entry.exists);
    assert_int_equal(entry.is_dir, is_dir);
    assert_false(entry.reparse);
    assert_int_equal(entry.size, size);
    assert_true(entry.record >= 24);
}

static void
expect_absent(struct ntfs_volume *volume, const char *dir, const char *name)
{
    V2V_AUTO(mem) char *found = NULL;
    struct ntfs_entry entry;

    assert_int_equal(ntfs_lookup(volume, dir, name, &found, &entry, &err), 0);
    assert_string_equal(found, name);
    assert_false(entry.exists);
}

static void
expect_count(struct ntfs_volume *volume, const char *dir, size_t count)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    assert_int_equal(ntfs_list(volume, dir, count, &names, &err), 0);
    assert_int_equal(names.count, count);
    if (count > 0)
        assert_int_equal(ntfs_list(volume, dir, count - 1, &names, &err), -1);
}

static void
test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        struct ntfs_volume *volume = NULL;
        struct test_disk disk;
        uint64_t free;

        make_volume(shapes[i].sector, shapes[i].cluster, shapes[i].mib);
        fill_volume(tree);
        open_test_disk(&disk, shapes[i].sector);
        if (mount_test_disk(&disk, false, &volume, &err) < 0)
            fail_msg("%s", err.text);
        expect_entry(volume, "/", "WINDOWS", "Windows", true, 0);
        expect_entry(volume, "/Windows/System32", "BIG", "big", false, 348894);
        expect_entry(volume, "/", "gRüße 日本", "Grüße 日本", true, 0);
        expect_entry(volume, "/many", "FILE-700.TXT", "File-700.txt", false, 4);
        expect_absent(volume, "/many", "File-701.txt");
        expect_absent(volume, "/many", "File-1");
        expect_count(volume, "/many", 700);
        expect_count(volume, "/", 3);
        expect_content(volume, "/Windows/System32/big",
                       "model/Windows/System32/big");
        expect_content(volume, "/Windows/small", "model/Windows/small");
        expect_content(volume, "/Windows/empty", "model/Windows/empty");
        expect_content(volume, "/many/File-350.txt", "model/many/File-350.txt");
        assert_int_equal(ntfs_free_space(volume, &free, &err), 0);
        assert_true(free > 0 && free < disk.len);
        assert_int_equal(ntfs_unmount(volume, &err), 0);
        assert_int_equal(disk.writes, 0);
        close(disk.fd);
    }
}

/* ---- what is written ---- */

static void
host_write(const char *path, const void *data, size_t len)
{
    V2V_AUTO(mem) char *name = in_top(path);
    V2V_AUTO(fd)
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(v2v_fd_write(fd, data, len), 0);
}

/* Bytes that differ at each place and for each seed. */
static uint8_t pattern[3 << 20];

static const uint8_t *
bytes(unsigned seed, size_t len)
{
    uint64_t x = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;

    for (size_t i = 0; i < len; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(pattern + i, &x, 8);
    }
    return pattern;
}

static void
make(struct ntfs_volume *volume, const char *path, unsigned seed, size_t len)
{
    V2V_AUTO(mem) char *model = v2v_format(NULL, "model%s", path);

    host_write(model, bytes(seed, len), len);
    if (ntfs_make(volume, path, false, pattern, len, sd, sd_len, &err) < 0)
        fail_msg("%s", err.text);
}

static void
make_dir(struct ntfs_volume *volume, const char *path)
{
    must("mkdir 'model%s'", path);
    if (ntfs_make(volume, path, true, NULL, 0, sd, sd_len, &err) < 0)
        fail_msg("%s", err.text);
}

static void
write_at(struct ntfs_volume *volume, const char *path, unsigned seed,
         size_t len, uint64_t offset)
{
    V2V_AUTO(mem) char *model = v2v_format(NULL, "%s/model%s", top, path);
    V2V_AUTO(fd) int fd = open(model, O_WRONLY | O_CLOEXEC);

    bytes(seed, len);
    assert_int_equal(pwrite(fd, pattern, len, (off_t)offset), len);
    if (ntfs_write_at(volume, path, pattern, len, offset, &err) < 0)
        fail_msg("%s", err.text);
}

static void
truncate_both(struct ntfs_volume *volume, const char *path, uint64_t len)
{
    V2V_AUTO(mem) char *model = v2v_format(NULL, "%s/model%s", top, path);

    assert_int_equal(truncate(model, (off_t)len), 0);
    if (ntfs_truncate(volume, path, len, &err) < 0)
        fail_msg("%s", err.text);
}

/* Edits at places that a seed chooses, of a file that then has some MiB. */
static void
write_here_and_there(struct ntfs_volume *volume, const char *path)
{
    unsigned x = 12345;

    for (unsigned i = 0; i < 60; i++) {
        x = x * 1103515245 + 12345;
        write_at(volume, path, i, 1 + (x >> 8) % 9000, (x >> 4) % (3 << 20));
        if (i % 16 == 15)
            truncate_both(volume, path, (x >> 6) % (3 << 20));
    }
}

static void
write_tree(struct ntfs_volume *volume)
{
    static const size_t sizes[] = {
        0, 1, 600, 2000, 4095, 4096, 70000, 2500001
    };

    make_dir(volume, "/Windows/System32/drivers");
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        V2V_AUTO(mem)
        char *path = v2v_format(NULL, "/Windows/System32/drivers/vio%u.sys", i);

        make(volume, path, i, sizes[i]);
    }
    for (unsigned i = 0; i < 300; i++) {
        V2V_AUTO(mem)
        char *path = v2v_format(NULL, "/many/ein neuer Name, %u ☃.inf", i);

        make(volume, path, i, 40 * i);
    }
    make(volume, "/Windows/System32/big", 3, 1000); /* replaced */
    make(volume, "/Windows/small", 4, 100000);
    write_here_and_there(volume, "/Windows/System32/drivers/vio6.sys");
    write_here_and_there(volume, "/Windows/empty");
    make(volume, "/Windows/empty", 9, 0);
}

/* What other programs read is the model, and no cluster is lost or in use
 * twice. */
static void
judge(const struct shape *shape)
{
    must("PATH=$PATH:/sbin:/usr/sbin; ntfsfix -n volume >fix 2>&1 && "
         "grep -q 'processed successfully' fix && "
         "ntfsresize -i -f volume >resize 2>&1 && "
         "grep -q 'You might resize\\|fully used' resize && "
         "! grep -qi 'inconsist\\|error\\|mismatch' resize");
    must(
        "rm -rf tsk && tsk_recover -a volume tsk >/dev/null 2>&1; "
        "find model -type f | sort | while read -r f; do "
        "cmp -s \"$f\" \"tsk/${f#model/}\" || [ ! -s \"$f\" ] || exit 1; done");
    must("for f in Windows/System32/drivers/vio7.sys Windows/small; do "
         "ntfscat -f volume $f | cmp - model/$f || exit 1; done");
    if (shape->by_7z)
        must("rm -rf 7z && 7z x -y -o7z '-x![SYSTEM]' volume >log 2>&1; "
             "diff -r model 7z");
}

static void
test_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        struct ntfs_volume *volume = NULL;
        V2V_AUTO(bytes) struct v2v_bytes got = { 0 };
        struct test_disk disk;

        must("rm -rf model");
        make_volume(shapes[i].sector, shapes[i].cluster, shapes[i].mib);
        fill_volume(tree);
        open_test_disk(&disk, shapes[i].sector);
        if (mount_test_disk(&disk, true, &volume, &err) < 0)
            fail_msg("%s", err.text);
        write_tree(volume);
        expect_count(volume, "/many", 1000);
        expect_content(volume, "/Windows/small", "model/Windows/small");
        assert_int_equal(ntfs_descriptor(volume,
                                         "/Windows/System32/drivers/vio3.sys",
                                         &got, &err),
                         0);
        assert_int_equal(got.len, sd_len);
        assert_memory_equal(got.data, sd, sd_len);
        if (ntfs_unmount(volume, &err) < 0)
            fail_msg("%s", err.text);
        close_test_disk(&disk);
        judge(&shapes[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests(tests, set_up, remove_top);
}
