/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty hives of real systems, and what Windows made of them:
 * $V2V_SHARED (or ../shared beside the project)/data/hives, skipped without
 * it.  Files may be compressed (xz). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "registry/header.h"
#include "registry/hive.h"
#include "registry/log.h"
#include "test-tools.h"

enum { MAX_DEPTH = 64 };

static char *hives;

/* An absent log is an empty one. */
static struct v2v_bytes
load(const char *folder, const char *name, const char *suffix)
{
    V2V_AUTO(mem)
    char *command =
        v2v_format(NULL,
                   "p='%s/%s/%s%s'; if [ -e \"$p\" ]; then cat \"$p\"; "
                   "elif [ -e \"$p.xz\" ]; then xz -dc \"$p.xz\"; fi",
                   hives, folder, name, suffix);
    struct v2v_bytes ret = { 0 };
    static char buffer[1 << 16];
    FILE *f = popen(command, "r");
    size_t n;

    assert_non_null(f);
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0)
        assert_int_equal(v2v_bytes_add(&ret, buffer, n, NULL), 0);
    assert_int_equal(pclose(f), 0);
    return ret;
}

static struct reg_replayed
replay(const char *folder, const char *name)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = load(folder, name, "");
    V2V_AUTO(bytes) struct v2v_bytes log1 = load(folder, name, ".LOG1");
    V2V_AUTO(bytes) struct v2v_bytes log2 = load(folder, name, ".LOG2");
    const struct reg_log logs[2] = { { log1.data, log1.len },
                                     { log2.data, log2.len } };
    struct reg_replayed r;
    struct reg_header header;
    struct v2v_error err = { 0 };

    if (reg_replay_logs(hive.data, hive.len, logs, &r, &err) < 0)
        fail_msg("%s: %s", folder, err.text);
    assert_int_equal(r.result, REG_REPLAY_DONE);
    if (reg_header_read(r.hive.data, r.hive.len, &header, &err) < 0)
        fail_msg("%s: %s", folder, err.text);
    assert_false(header.dirty);
    assert_true(header.primary_sequence > r.last_sequence);
    return r;
}

struct pair {
    struct reg_hive *a;
    struct reg_hive *b;
    unsigned long keys, values;
};

static void
assert_same_strings(const char *key, const struct v2v_strings *a,
                    const struct v2v_strings *b)
{
    if (a->count != b->count)
        fail_msg("%s: %zu and %zu", key, a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        assert_string_equal(a->items[i], b->items[i]);
}

static void
compare_values(struct pair *p, const char *key)
{
    V2V_AUTO(strings) struct v2v_strings a = { 0 }, b = { 0 };
    struct v2v_error err = { 0 };

    if (reg_value_names(p->a, key, &a, &err) < 0 ||
        reg_value_names(p->b, key, &b, &err) < 0)
        fail_msg("%s", err.text);
    assert_same_strings(key, &a, &b);
    for (size_t i = 0; i < a.count; i++) {
        V2V_AUTO(bytes) struct v2v_bytes x = { 0 }, y = { 0 };
        uint32_t type_x = 0, type_y = 0;

        if (reg_get(p->a, key, a.items[i], &type_x, &x, &err) < 0 ||
            reg_get(p->b, key, a.items[i], &type_y, &y, &err) < 0)
            fail_msg("%s", err.text);
        if (type_x != type_y || x.len != y.len ||
            (x.len > 0 && memcmp(x.data, y.data, x.len) != 0))
            fail_msg("%s: %s differs", key, a.items[i]);
        p->values++;
    }
}

static void
compare_keys(struct pair *p, const char *key, unsigned depth)
{
    V2V_AUTO(strings) struct v2v_strings a = { 0 }, b = { 0 };
    struct v2v_error err = { 0 };

    assert_true(depth < MAX_DEPTH);
    p->keys++;
    compare_values(p, key);
    if (reg_children(p->a, key, &a, &err) < 0 ||
        reg_children(p->b, key, &b, &err) < 0)
        fail_msg("%s", err.text);
    assert_same_strings(key, &a, &b);
    for (size_t i = 0; i < a.count; i++) {
        V2V_AUTO(mem)
        char *child = v2v_format(&err, "%s%s%s", key, *key == '\0' ? "" : "\\",
                                 a.items[i]);

        assert_non_null(child);
        compare_keys(p, child, depth + 1);
    }
}

/* The slow comparison tells nothing of equal bytes. */
static bool
same_bytes(const struct v2v_bytes *a, const struct v2v_bytes *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void
assert_replayed_is(const char *folder, const char *name,
                   const char *other_folder, const char *other)
{
    V2V_AUTO(bytes) struct v2v_bytes expected = load(other_folder, other, "");
    struct reg_replayed r = replay(folder, name);
    struct pair p = { 0 };
    struct v2v_error err = { 0 };

    if (reg_hive_open(r.hive.data, r.hive.len, &p.a, &err) < 0 ||
        reg_hive_open(expected.data, expected.len, &p.b, &err) < 0)
        fail_msg("%s: %s", folder, err.text);
    if (!same_bytes(&r.hive, &expected)) {
        compare_keys(&p, "", 0);
        assert_true(p.keys > 1);
    }
    print_message("%s: %u entries, %zu bytes; %lu keys, %lu values compared\n",
                  folder, r.entries, r.hive.len, p.keys, p.values);
    reg_hive_close(p.a);
    reg_hive_close(p.b);
    v2v_bytes_done(&r.hive);
}

static void
test_as_windows_7_recovered_it(void **state)
{
    (void)state;
    assert_replayed_is("logs/old-dirty", "OldDirtyHive", "logs/old-dirty",
                       "RecoveredHive_Windows7");
}

static void
test_as_windows_10_recovered_it(void **state)
{
    (void)state;
    assert_replayed_is("logs/new-dirty", "NewDirtyHive", "logs/new-dirty",
                       "RecoveredHive_Windows10");
}

static void
test_a_system_hive_of_windows_10(void **state)
{
    (void)state;
    assert_replayed_is("win10-1709-dirty", "SYSTEM", "win10-1709-clean",
                       "SYSTEM");
}

static void
test_hives_of_users(void **state)
{
    static const struct {
        const char *folder, *name;
        unsigned entries;
    } cases[] = { { "logs/ntuser-tx", "NTUSER.DAT", 23 },
                  { "logs/usrclass", "UsrClass.dat", 14 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reg_replayed r = replay(cases[i].folder, cases[i].name);
        struct pair p = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(r.entries, cases[i].entries);
        if (reg_hive_open(r.hive.data, r.hive.len, &p.a, &err) < 0)
            fail_msg("%s: %s", cases[i].folder, err.text);
        p.b = p.a;
        compare_keys(&p, "", 0); /* every key and value can be read */
        reg_hive_close(p.a);
        v2v_bytes_done(&r.hive);
    }
}

static void
test_hives_without_logs(void **state)
{
    static const struct {
        const char *folder;
        enum reg_replay result;
    } cases[] = { { "win81-dirty-nologs", REG_REPLAY_NO_LOGS },
                  { "win10-1709-clean", REG_REPLAY_CLEAN } };
    const struct reg_log none[2] = { { NULL, 0 }, { NULL, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes)
        struct v2v_bytes hive = load(cases[i].folder, "SYSTEM", "");
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        if (reg_replay_logs(hive.data, hive.len, none, &r, &err) < 0)
            fail_msg("%s: %s", cases[i].folder, err.text);
        assert_int_equal(r.result, cases[i].result);
        assert_null(r.hive.data);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_windows_7_recovered_it),
        cmocka_unit_test(test_as_windows_10_recovered_it),
        cmocka_unit_test(test_a_system_hive_of_windows_10),
        cmocka_unit_test(test_hives_of_users),
        cmocka_unit_test(test_hives_without_logs),
    };

    hives = shared_path("data/hives");
    if (hives == NULL)
        return SKIPPED;
    int result = cmocka_run_group_tests(tests, NULL, NULL);

    free(hives);
    return result;
}
