/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts/boot.h: the BCD, clean and dirty, with its logs.  The guest's files are
 * those of a folder; the rest of guest/ is not linked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "facts/boot.h"
#include "registry/base-block.h"
#include "test-tools.h"

/* With testsigning, and the same without. */
#define BCD_ON BINARY_DIR "/tests/hives/bcd-on"
#define BCD_OFF BINARY_DIR "/tests/hives/bcd-off"

enum { SECTOR = 512, LOG_OLD = 1 };

/* The part of guest/ that facts_read_bcd() needs, over the folder top. */
int
guest_read(struct guest *guest, const char *path, size_t max,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *full = v2v_format(err, "%s/%s", top, path);

    (void)guest;
    if (full == NULL)
        return -1;
    if (access(full, F_OK) < 0)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s: absent", path);
    return v2v_file_read(full, max, ret, err);
}

int
guest_copy(struct guest *guest, const char *path, size_t max, int fd,
           uint64_t *len, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

    if (guest_read(guest, path, max, &bytes, err) < 0)
        return -1;
    *len = bytes.len;
    return v2v_fd_write(fd, bytes.data, bytes.len);
}

int
guest_stat(struct guest *guest, const char *path, struct guest_stat *ret,
           struct v2v_error *err)
{
    V2V_AUTO(mem) char *full = v2v_format(err, "%s/%s", top, path);
    struct stat st;

    (void)guest;
    if (full == NULL)
        return -1;
    *ret = (struct guest_stat){ 0 };
    if (stat(full, &st) == 0)
        *ret =
            (struct guest_stat){ .exists = true, .size = (uint64_t)st.st_size };
    return 0;
}

static void
put_file(const char *name, const struct v2v_bytes *content)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/%s", top, name);

    assert_int_equal(v2v_file_replace(path, content->data, content->len, NULL),
                     0);
}

static struct v2v_bytes
load(const char *path)
{
    struct v2v_bytes ret = { 0 };

    assert_int_equal(v2v_file_read(path, 1 << 20, &ret, NULL), 0);
    return ret;
}

static void
set_base(struct v2v_bytes *b, uint32_t first, uint32_t second, uint32_t type)
{
    reg_set_u32(b->data, REG_AT_PRIMARY_SEQUENCE, first);
    reg_set_u32(b->data, REG_AT_SECONDARY_SEQUENCE, second);
    reg_set_u32(b->data, REG_AT_TYPE, type);
    reg_set_u32(b->data, REG_AT_CHECKSUM, reg_base_checksum(b->data));
}

/* An old log that holds every page of @hive. */
static struct v2v_bytes
make_log(const struct v2v_bytes *hive)
{
    size_t pages = hive->len - REG_BASE_BLOCK_LEN;
    uint8_t bitmap[SECTOR] = "DIRT";
    struct v2v_bytes log = { 0 };

    memset(bitmap + 4, 0xff, pages / SECTOR / 8);
    assert_int_equal(v2v_bytes_copy(hive->data, SECTOR, &log, NULL), 0);
    set_base(&log, 9, 9, LOG_OLD);
    assert_int_equal(v2v_bytes_add(&log, bitmap, sizeof bitmap, NULL), 0);
    assert_int_equal(
        v2v_bytes_add(&log, hive->data + REG_BASE_BLOCK_LEN, pages, NULL), 0);
    return log;
}

/* The folder holds a BCD that @bcd and @log_of say; NULL: without it. */
static void
make_guest(const char *bcd, bool dirty, const char *log_of, const char *log)
{
    V2V_AUTO(bytes) struct v2v_bytes primary = load(bcd);

    assert_true(run("rm -f BCD*"));
    if (dirty)
        set_base(&primary, 9, 8, 0);
    put_file("BCD", &primary);
    if (log_of != NULL) {
        V2V_AUTO(bytes) struct v2v_bytes other = load(log_of);
        V2V_AUTO(bytes) struct v2v_bytes content = make_log(&other);

        put_file(log, &content);
    }
}

static void
assert_read(bool has_bcd, bool test_signing)
{
    struct facts_volume volume = { 0 };
    struct v2v_error err = { 0 };

    if (facts_read_bcd(NULL, "BCD", &volume, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(volume.bcd, has_bcd);
    assert_int_equal(volume.test_signing, test_signing);
    assert_string_equal(warnings, "");
}

static void
test_clean(void **state)
{
    (void)state;
    make_guest(BCD_ON, false, NULL, NULL);
    assert_read(true, true);
    /* its logs count for nothing */
    make_guest(BCD_OFF, false, BCD_ON, "BCD.LOG1");
    assert_read(true, false);
}

static void
test_dirty_is_brought_up_to_date(void **state)
{
    static const char *const logs[] = { "BCD.LOG1", "BCD.LOG2", "BCD.LOG" };

    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        make_guest(BCD_OFF, true, BCD_ON, logs[i]);
        assert_read(true, true);
        make_guest(BCD_ON, true, BCD_OFF, logs[i]);
        assert_read(true, false);
    }
}

/* As Windows leaves them: the one log of former times is empty or old. */
static void
test_a_log_of_former_times_is_left(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes other = load(BCD_OFF);
    V2V_AUTO(bytes) struct v2v_bytes former = make_log(&other);

    (void)state;
    make_guest(BCD_OFF, true, BCD_ON, "BCD.LOG1");
    put_file("BCD.LOG", &former);
    assert_read(true, true);
}

static void
test_dirty_without_logs_is_read_as_it_is(void **state)
{
    static const struct v2v_bytes empty = { 0 };

    (void)state;
    make_guest(BCD_ON, true, NULL, NULL);
    assert_read(true, true);
    put_file("BCD.LOG1", &empty);
    put_file("BCD.LOG2", &empty);
    assert_read(true, true);
}

static void
test_absent_or_damaged_says_nothing(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes damaged = load(BCD_ON);

    (void)state;
    assert_true(run("rm -f BCD*"));
    assert_read(false, false);
    memset(damaged.data + REG_BASE_BLOCK_LEN, 0, 64);
    put_file("BCD", &damaged);
    assert_read(false, false);
    damaged.data[REG_AT_CHECKSUM]++;
    put_file("BCD", &damaged);
    assert_read(false, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_dirty_is_brought_up_to_date),
        cmocka_unit_test(test_a_log_of_former_times_is_left),
        cmocka_unit_test(test_dirty_without_logs_is_read_as_it_is),
        cmocka_unit_test(test_absent_or_damaged_says_nothing),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
