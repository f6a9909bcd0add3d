/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/ranges.h"
#include "base/text.h"
#include "guest/cksum.h"
#include "guest/names.h"
#include "guest/tar.h"

static void
test_paths_are_taken_apart(void **state)
{
    static const struct {
        const char *path;
        const char *names; /* joined by '|' */
    } cases[] = {
        { "", "" },
        { "/", "" },
        { "Windows", "|Windows" },
        { "/Windows//System32/", "|Windows|System32" },
        { "a/.../b", "|a|...|b" },
        { ".", NULL },
        { "a/..", NULL },
        { "a/./b", NULL },
        { "../a", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = cases[i].path;
        V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
        struct v2v_error err = { 0 };
        char *name = NULL;
        int rc;

        while ((rc = guest_next_name(&path, &name, &err)) == 0 &&
               name != NULL) {
            assert_int_equal(v2v_bytes_printf(&names, NULL, "|%s", name), 0);
            free(name);
        }
        assert_int_equal(v2v_bytes_add(&names, "", 1, NULL), 0);
        if (cases[i].names != NULL) {
            assert_int_equal(rc, 0);
            assert_string_equal((const char *)names.data, cases[i].names);
        } else {
            assert_int_equal(rc, -1);
            assert_int_equal(err.code, V2V_ERR_GUEST);
            assert_string_equal(err.text, "the path holds \".\" or \"..\"");
        }
    }
}

static void
test_names_that_windows_refuses(void **state)
{
    static const struct {
        const char *name;
        const char *message; /* NULL: allowed */
    } cases[] = {
        { "viostor.sys", NULL },
        { "viostor.inf_amd64_0123456789abcdef", NULL },
        { "caf\xc3\xa9.sys", NULL },
        { ".hidden", NULL },
        { "console.sys", NULL },
        { "com10", NULL },
        { "a b", NULL },
        { "", "\"\": Windows allows no such name" },
        { "con", "\"con\": Windows allows no such name" },
        { "Nul.sys", "\"Nul.sys\": Windows allows no such name" },
        { "LPT9", "\"LPT9\": Windows allows no such name" },
        { "a.", "\"a.\": Windows allows no such name" },
        { "a ", "\"a \": Windows allows no such name" },
        { "a:b", "\"a:b\": Windows allows no such character in a name" },
        { "a\\b", "\"a\\b\": Windows allows no such character in a name" },
        { "a\x01", "\"a?\": Windows allows no such character in a name" },
        { "a\xff", "\"a?\": not UTF-8" },
    };
    char longest[257];
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (struct v2v_error){ 0 };
        assert_int_equal(guest_check_new_name(cases[i].name, &err),
                         cases[i].message == NULL ? 0 : -1);
        assert_string_equal(err.text,
                            cases[i].message == NULL ? "" : cases[i].message);
    }
    memset(longest, 'x', sizeof longest);
    longest[255] = '\0';
    assert_int_equal(guest_check_new_name(longest, &err), 0);
    longest[255] = 'x';
    longest[256] = '\0';
    assert_int_equal(guest_check_new_name(longest, &err), -1);
    assert_non_null(strstr(err.text, "the name is too long"));
}

/* Changes are bytes at places; the ranges are compared as text. */
static void
test_ranges(void **state)
{
    enum { OLD = 3 << 20 };
    static const struct {
        size_t changed[3]; /* 0: none */
        size_t new_len;
        const char *ranges;
    } cases[] = {
        { { 0 }, OLD, "" },
        { { 1 }, OLD, " 0-4096" },
        { { 4095, 4096 }, OLD, " 0-8192" },
        { { 1, 100000 }, OLD, " 0-4096 98304-102400" },
        { { 1, 60000 }, OLD, " 0-61440" }, /* a small gap is written too */
        { { OLD - 1 }, OLD, " 3141632-3145728" },
        { { 0 }, OLD - 100, "" },
        { { 0 }, OLD + 5, " 3145728-3145733" },
        { { 0 }, OLD - 4096, "" },
        { { 5 }, 10, " 0-10" },
        { { 0 }, 0, "" },
        /* 2 MiB more: in pieces of 1 MiB */
        { { 0 }, 5 << 20, " 3145728-4194304 4194304-5242880" },
    };
    V2V_AUTO(mem) uint8_t *old = calloc(1, OLD);

    (void)state;
    assert_non_null(old);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem) uint8_t *new = calloc(1, cases[i].new_len + 1);
        struct v2v_range r = { 0, 0 };
        char text[256] = "";

        assert_non_null(new);
        for (size_t k = 0; k < 3; k++)
            if (cases[i].changed[k] != 0)
                new[cases[i].changed[k]] = 1;
        while (v2v_range_next(old, OLD, new, cases[i].new_len, r.end, &r)) {
            size_t used = strlen(text);

            assert_true(r.end - r.start <= V2V_RANGE_MAX);
            snprintf(text + used, sizeof text - used, " %zu-%zu", r.start,
                     r.end);
        }
        assert_string_equal(text, cases[i].ranges);
    }
}

/* Writing the ranges makes the one the other, whatever they are. */
static void
test_ranges_are_enough(void **state)
{
    enum { MOST = 1 << 20 };
    V2V_AUTO(mem) uint8_t *old = calloc(1, MOST);
    V2V_AUTO(mem) uint8_t *new = calloc(1, MOST);
    V2V_AUTO(mem) uint8_t *file = calloc(1, MOST);

    (void)state;
    assert_non_null(old);
    assert_non_null(new);
    assert_non_null(file);
    srand(1);
    for (int round = 0; round < 50; round++) {
        size_t old_len = (size_t)rand() % MOST, new_len = (size_t)rand() % MOST;
        struct v2v_range r = { 0, 0 };

        for (int k = 0; k < 20; k++)
            new[rand() % MOST] = (uint8_t)rand();
        memset(file, 0xee, MOST);
        memcpy(file, old, old_len);
        while (v2v_range_next(old, old_len, new, new_len, r.end, &r))
            memcpy(file + r.start, new + r.start, r.end - r.start);
        assert_memory_equal(file, new, new_len);
        memcpy(old, new, MOST);
    }
}

/* Expected values: printf ... | cksum */
static void
test_cksum(void **state)
{
    (void)state;
    assert_int_equal(guest_cksum((const uint8_t *)"", 0), 4294967295U);
    assert_int_equal(guest_cksum((const uint8_t *)"123456789", 9), 930766865U);
}

static int
make_archive(char *path, const struct tar_member *members, size_t count)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(tar_add(fd, &members[i], NULL), 0);
    assert_int_equal(tar_end(fd, NULL), 0);
    return fd;
}

static void
command_says(const char *program, const char *path, const char *expected)
{
    V2V_AUTO(mem) char *command =
        v2v_format(NULL, "%s tf %s 2>&1", program, path);
    char said[2048];
    FILE *f = popen(command, "r");
    size_t n;

    assert_non_null(f);
    n = fread(said, 1, sizeof said - 1, f);
    said[n] = '\0';
    assert_int_equal(pclose(f), 0);
    assert_string_equal(said, expected);
}

#define LONG_DIR                                                               \
    "Windows/System32/DriverStore/FileRepository/"                             \
    "a_rather_long_name_of_a_driver_package.inf_amd64_0123456789abcdef/sub"

static void
test_tar_reads_it(void **state)
{
    static uint8_t data[1000], sd[3000];
    const struct tar_member members[] = {
        { .path = LONG_DIR, .directory = true, .sd = sd, .sd_len = 248 },
        { .path = LONG_DIR "/x.sys",
          .data = data,
          .len = 1000,
          .sd = sd,
          .sd_len = 3000,
          .mtime = 1700000000 },
        { .path = "-dash", .data = data, .len = 512 },
        { .path = "empty", .data = "", .len = 0, .sd = sd, .sd_len = 1 },
    };
    static const char names[] = LONG_DIR "\n" LONG_DIR "/x.sys\n-dash\n"
                                         "empty\n";
    char path[] = "/tmp/v2v-tar-XXXXXX";

    (void)state;
    memset(sd, '\n', sizeof sd); /* lengths count, not line ends */
    close(make_archive(path, members, sizeof members / sizeof *members));
    command_says("tar", path, names);
    command_says("bsdtar", path, names);
    unlink(path);
}

/* The records of one extended header: each says its own length. */
static void
find_record(const uint8_t *at, size_t len, const char *key, const void *value,
            size_t value_len)
{
    size_t key_len = strlen(key);

    while (len > 0) {
        char *rest = NULL;
        size_t n = strtoul((const char *)at, &rest, 10);
        size_t digits = (size_t)(rest - (const char *)at);

        assert_true(n > digits + 2 && n <= len && *rest == ' ');
        assert_int_equal(at[n - 1], '\n');
        if (strncmp(rest + 1, key, key_len) == 0) {
            assert_int_equal(n, digits + 1 + key_len + value_len + 1);
            assert_memory_equal(rest + 1 + key_len, value, value_len);
            return;
        }
        at += n;
        len -= n;
    }
    fail_msg("no record %s", key);
}

/* All lengths around which the length's own digits become more. */
static void
test_security_descriptors_are_whole(void **state)
{
    static uint8_t sd[1100];

    (void)state;
    for (size_t i = 0; i < sizeof sd; i++)
        sd[i] = (uint8_t)(i * 7);
    for (size_t len = 1; len < sizeof sd; len++) {
        const struct tar_member member = {
            .path = "p", .directory = true, .sd = sd, .sd_len = len
        };
        char path[] = "/tmp/v2v-tar-XXXXXX";
        V2V_AUTO(bytes) struct v2v_bytes tar = { 0 };
        size_t size;

        close(make_archive(path, &member, 1));
        assert_int_equal(v2v_file_read(path, 1 << 20, &tar, NULL), 0);
        unlink(path);
        assert_int_equal(tar.data[156], 'x');
        size = strtoul((const char *)tar.data + 124, NULL, 8);
        find_record(tar.data + 512, size, "SCHILY.xattr.system.ntfs_acl=", sd,
                    len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_are_taken_apart),
        cmocka_unit_test(test_names_that_windows_refuses),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_are_enough),
        cmocka_unit_test(test_cksum),
        cmocka_unit_test(test_tar_reads_it),
        cmocka_unit_test(test_security_descriptors_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
