/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk that fails at one call, at each that there is: an error is returned,
 * and neither is written any more nor anything that was not. */
#include "test-ntfs.h"

/* What the library does not free when its disk is broken dies with the process
 * that it runs in. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libntfs-3g\n";
}

static const char *const tree =
    "seq 9000 >text; for d in Windows Windows/System32; do "
    "echo \"dir\t$SD\t$d\"; done; "
    "echo \"file\t$SD\tWindows/System32/SYSTEM\ttext\"; "
    "for i in $(seq 60); do echo \"file\t$SD\tWindows/System32/a-$i\ttext\"; "
    "done";

/* It is the same each time: the library makes one up when it cannot read it. */
static void
check_descriptor(const struct v2v_bytes *bytes)
{
    static uint8_t first[1024];
    static size_t len;

    if (len == 0) {
        len = bytes->len;
        memcpy(first, bytes->data, len);
    }
    assert_int_equal(bytes->len, len);
    assert_memory_equal(bytes->data, first, len);
}

static int
read_some(struct ntfs_volume *volume, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes own = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(mem) char *name = NULL;
    struct ntfs_entry entry;
    uint64_t free;

    if (ntfs_lookup(volume, "/Windows", "SYSTEM32", &name, &entry, err) < 0 ||
        ntfs_list(volume, "/Windows/System32", 100, &names, err) < 0 ||
        ntfs_read(volume, "/Windows/System32/SYSTEM", 0, 1 << 20, &bytes, err) <
            0 ||
        ntfs_descriptor(volume, "/Windows", &own, err) < 0)
        return -1;
    assert_string_equal(name, "System32");
    assert_int_equal(names.count, 61);
    assert_int_equal(bytes.len, 43893);
    check_descriptor(&own);
    return ntfs_free_space(volume, &free, err);
}

static int
write_some(struct ntfs_volume *volume, struct v2v_error *err)
{
    static uint8_t data[30000];
    static const char *const dir = "/Windows/System32/drivers";
    static const char *const file = "/Windows/System32/drivers/viostor.sys";
    static const char *const hive = "/Windows/System32/SYSTEM";

    return ntfs_make(volume, dir, true, NULL, 0, sd, sd_len, err) < 0 ||
                   ntfs_make(volume, file, false, data, sizeof data, sd, sd_len,
                             err) < 0 ||
                   ntfs_make(volume, "/Windows/System32/a-7", false, data, 9,
                             sd, sd_len, err) < 0 ||
                   ntfs_write_at(volume, hive, data, sizeof data, 40000, err) <
                       0 ||
                   ntfs_truncate(volume, hive, 50000, err) < 0
               ? -1
               : 0;
}

static int
run_once(struct test_disk *disk, struct v2v_error *err)
{
    V2V_AUTO(ntfs_volume) struct ntfs_volume *volume = NULL;
    uint64_t free;

    if (mount_test_disk(disk, true, &volume, err) < 0)
        return -1;
    if (read_some(volume, err) < 0 || write_some(volume, err) < 0) {
        if (disk->failed) /* and so does whatever is asked for next */
            assert_int_equal(ntfs_free_space(volume, &free, NULL), -1);
        return -1;
    }
    return ntfs_unmount(v2v_steal(volume), err);
}

static void
test_each_call(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes image = { 0 };
    V2V_AUTO(mem) char *path = in_top("disk");
    struct v2v_error err = { 0 };
    struct test_disk disk;
    long calls;

    (void)state;
    make_volume(512, 4096, 8);
    fill_volume(tree);
    open_test_disk(&disk, 512);
    assert_int_equal(v2v_file_read(path, 16 << 20, &image, &err), 0);
    if (run_once(&disk, &err) < 0)
        fail_msg("%s", err.text);
    calls = disk.calls;
    assert_true(calls > 100);
    for (long n = 1; n <= calls; n++) {
        assert_int_equal(pwrite(disk.fd, image.data, image.len, 0), image.len);
        disk = (struct test_disk){ .fd = disk.fd,
                                   .offset = disk.offset,
                                   .len = disk.len,
                                   .sector = disk.sector,
                                   .fail_at = n };
        err = (struct v2v_error){ 0 };
        assert_int_equal(run_once(&disk, &err), -1);
        assert_true(disk.failed);
        assert_int_equal(err.code, V2V_ERR_INTERNAL);
        assert_non_null(strstr(err.text, " failed"));
        assert_int_equal(disk.calls, n);
        assert_int_equal(disk.writes_after, 0);
    }
    close(disk.fd);
}

/* Both copies of $Secure's descriptors; each starts with a hash, an id from 256
 * on, the offset 0 and a length. */
static int
damage_descriptors(const struct test_disk *disk)
{
    uint32_t head[5], noise[1024];
    int count = 0;

    memset(noise, 0xa5, sizeof noise);
    for (uint64_t at = 0; at < disk->len; at += 4096)
        if (pread(disk->fd, head, sizeof head, (off_t)(disk->offset + at)) ==
                (ssize_t)sizeof head &&
            head[1] >= 256 && head[1] < 300 && head[2] == 0 && head[3] == 0 &&
            head[4] > 20 && head[4] < 1024)
            count += pwrite(disk->fd, noise, sizeof noise,
                            (off_t)(disk->offset + at)) > 0;
    return count;
}

static void
test_damaged_descriptors(void **state)
{
    V2V_AUTO(ntfs_volume) struct ntfs_volume *volume = NULL;
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    struct v2v_error err = { 0 };
    struct test_disk disk;

    (void)state;
    make_volume(512, 4096, 8);
    fill_volume(tree);
    open_test_disk(&disk, 512);
    assert_int_equal(damage_descriptors(&disk), 2);
    assert_int_equal(mount_test_disk(&disk, true, &volume, &err), 0);
    assert_int_equal(ntfs_descriptor(volume, "/Windows", &bytes, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_non_null(strstr(err.text, "its security descriptor: damaged"));
    close(disk.fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call),
        cmocka_unit_test(test_damaged_descriptors),
    };

    return cmocka_run_group_tests(tests, set_up, remove_top);
}
