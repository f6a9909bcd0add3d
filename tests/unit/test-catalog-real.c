/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogs of a real virtio-win ISO: $V2V_SHARED (or ../shared beside the
 * project)/data/virtio-win/virtio-win-subset.iso, skipped without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/judge.h"
#include "catalog/pe.h"
#include "media/media.h"
#include "test-tools.h"

enum { MAX_FILES = 1024, FLIPS = 400 };

/* Bytes that no signature covers are those of a time stamp's envelope and of
 * certificates whose issuer is not on the medium. */
enum { MAX_UNNOTICED_PER_CENT = 12 };

static char *iso_path;
static struct media *medium;
static struct v2v_bytes contents[MAX_FILES];
static size_t count;

static int
open_medium(void **state)
{
    size_t indexes[MAX_FILES];
    struct v2v_error err = { 0 };

    (void)state;
    if (media_open(iso_path, &medium, &err) < 0)
        fail_msg("%s", err.text);
    count = media_count(medium);
    assert_in_range(count, 1, MAX_FILES);
    for (size_t i = 0; i < count; i++)
        indexes[i] = i;
    if (media_load(medium, indexes, count, contents, &err) < 0)
        fail_msg("%s", err.text);
    return 0;
}

static int
close_medium(void **state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        v2v_bytes_done(&contents[i]);
    media_close(medium);
    return 0;
}

static const char *
path_of(size_t i)
{
    return media_at(medium, i)->path;
}

static size_t
folder_len(const char *path)
{
    return (size_t)(strrchr(path, '/') - path) + 1;
}

static bool
is_beside(size_t a, size_t b)
{
    const char *x = path_of(a), *y = path_of(b);

    return strrchr(x, '/') != NULL && strrchr(y, '/') != NULL &&
           folder_len(x) == folder_len(y) && memcmp(x, y, folder_len(x)) == 0;
}

static void
parse(size_t i, struct catalog *ret)
{
    struct v2v_error err = { 0 };

    if (catalog_parse(contents[i].data, contents[i].len, ret, &err) < 0)
        fail_msg("%s: %s", path_of(i), err.text);
}

/* By generation of Windows, as the folders' names tell it. */
static void
test_signers(void **state)
{
    static const struct {
        const char *folder;
        enum catalog_signer_kind kind;
        enum catalog_hash hash;
        const char *os_attr;
    } cases[] = {
        { "/xp/", CATALOG_SIGNER_CROSS_SIGNED, CATALOG_SHA1, "2:5.1" },
        { "/2k3/", CATALOG_SIGNER_CROSS_SIGNED, CATALOG_SHA1, "2:5.2" },
        { "/2k8/", CATALOG_SIGNER_CROSS_SIGNED, CATALOG_SHA1, "2:6.0" },
        { "/w7/", CATALOG_SIGNER_CROSS_SIGNED, CATALOG_SHA1, "2:6.1" },
        { "/w8.1/", CATALOG_SIGNER_SELF_SIGNED, CATALOG_SHA256, "2:6.3" },
        { "/2k12R2/", CATALOG_SIGNER_SELF_SIGNED, CATALOG_SHA256, "2:6.3" },
        { "/w10/", CATALOG_SIGNER_ATTESTATION, CATALOG_SHA256, "2:10.0" },
        { "/w11/", CATALOG_SIGNER_ATTESTATION, CATALOG_SHA256, "2:10.0" },
        { "/2k16/", CATALOG_SIGNER_ATTESTATION, CATALOG_SHA256, "2:10.0" },
        { "/2k19/", CATALOG_SIGNER_ATTESTATION, CATALOG_SHA256, "2:10.0" },
        { "/2k22/", CATALOG_SIGNER_ATTESTATION, CATALOG_SHA256, "2:10.0" },
    };
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(catalog) struct catalog cat = { 0 };
        size_t c = 0;

        if (!v2v_has_suffix_nocase(path_of(i), ".cat"))
            continue;
        while (c < sizeof cases / sizeof *cases &&
               strstr(path_of(i), cases[c].folder) == NULL)
            c++;
        assert_true(c < sizeof cases / sizeof *cases);
        parse(i, &cat);
        if (cat.signer.kind != cases[c].kind)
            fail_msg("%s: %s", path_of(i),
                     catalog_signer_kind_text(cat.signer.kind));
        assert_int_equal(cat.signer.hash, cases[c].hash);
        assert_true(v2v_strings_has_nocase(&cat.os_attr, cases[c].os_attr));
        assert_true(cat.os.count > 0);
        assert_true(cat.hardware_ids.count > 0);
        assert_true(cat.signer.stamp.present);
        assert_true(cat.signer.stamp.time >= cat.signer.not_before &&
                    cat.signer.stamp.time <= cat.signer.not_after);
        seen++;
    }
    print_message("%zu catalogs\n", seen);
    assert_true(seen > 0);
}

/* Of each catalog, the files beside it that its entries name; and of each
 * folder with catalogs, each INF and each .sys. */
static void
test_files(void **state)
{
    static enum catalog_match best[MAX_FILES];
    static bool judged[MAX_FILES];

    (void)state;
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(catalog) struct catalog cat = { 0 };

        if (!v2v_has_suffix_nocase(path_of(i), ".cat"))
            continue;
        parse(i, &cat);
        for (size_t f = 0; f < count; f++) {
            struct catalog_file file = { path_of(f), contents[f].data,
                                         contents[f].len };
            enum catalog_match match;
            struct v2v_error err = { 0 };

            if (!is_beside(i, f))
                continue;
            file.name += folder_len(file.name);
            assert_int_equal(catalog_check_files(&cat, &file, 1, &match, &err),
                             0);
            if (match != CATALOG_MATCH && match != CATALOG_NOT_LISTED)
                fail_msg("%s %s", path_of(f), catalog_match_text(match));
            if (!judged[f] || match == CATALOG_MATCH)
                best[f] = match;
            judged[f] = true;
        }
    }
    for (size_t f = 0; f < count; f++) {
        if (judged[f] &&
            (v2v_has_suffix_nocase(path_of(f), ".sys") ||
             v2v_has_suffix_nocase(path_of(f), ".inf")) &&
            best[f] != CATALOG_MATCH)
            fail_msg("%s %s", path_of(f), catalog_match_text(best[f]));
    }
}

static void
test_embedded(void **state)
{
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(catalog_signer) struct catalog_signer signer = { 0 };
        struct v2v_error err = { 0 };

        if (!v2v_has_suffix_nocase(path_of(i), ".sys"))
            continue;
        if (catalog_pe_signer(contents[i].data, contents[i].len, &signer,
                              &err) < 0)
            fail_msg("%s: %s", path_of(i), err.text);
        assert_true(signer.stamp.present);
        seen++;
    }
    print_message("%zu drivers with a signature inside\n", seen);
    assert_true(seen > 0);
}

static size_t
find(const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (v2v_equal_nocase(path_of(i), path))
            return i;
    }
    fail_msg("no %s", path);
    return 0;
}

/* In a PE image what is left out of its hash may change, in none else. */
static bool
is_change_noticed(const struct catalog *cat, size_t f)
{
    struct catalog_file file = { "file", contents[f].data, contents[f].len };
    enum catalog_match match;

    assert_int_equal(catalog_check_files(cat, &file, 1, &match, NULL), 0);
    return match != CATALOG_MATCH;
}

static void
test_changed_files_show(void **state)
{
    static const char *const folders[] = { "viostor/w10/amd64/",
                                           "viostor/w7/x86/" };

    (void)state;
    srand(1);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        V2V_AUTO(catalog) struct catalog cat = { 0 };
        char path[64];
        size_t inf, sys;

        snprintf(path, sizeof path, "%sviostor.cat", folders[i]);
        parse(find(path), &cat);
        snprintf(path, sizeof path, "%sviostor.inf", folders[i]);
        inf = find(path);
        snprintf(path, sizeof path, "%sviostor.sys", folders[i]);
        sys = find(path);
        for (size_t n = 0; n < FLIPS; n++) {
            uint8_t mask = (uint8_t)(1 << rand() % 8);
            size_t at = (size_t)rand() % contents[inf].len;

            contents[inf].data[at] ^= mask;
            assert_true(is_change_noticed(&cat, inf));
            contents[inf].data[at] ^= mask;

            /* behind the headers, before the embedded signature */
            at = 1024 + (size_t)rand() % (contents[sys].len / 2);
            contents[sys].data[at] ^= mask;
            assert_true(is_change_noticed(&cat, sys));
            contents[sys].data[at] ^= mask;
        }
    }
}

/* A changed catalog is refused or says the same of entries and signer. */
static void
test_changed_catalogs(void **state)
{
    static const char *const paths[] = { "viostor/w10/amd64/viostor.cat",
                                         "viostor/w7/amd64/viostor.cat",
                                         "viostor/2k8/amd64/viostor.cat" };

    (void)state;
    srand(1);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct v2v_bytes *data = &contents[find(paths[i])];
        V2V_AUTO(catalog) struct catalog whole = { 0 };
        size_t unnoticed = 0;

        parse(find(paths[i]), &whole);
        for (size_t n = 0; n < FLIPS; n++) {
            V2V_AUTO(catalog) struct catalog cat = { 0 };
            uint8_t mask = (uint8_t)(1 << rand() % 8);
            size_t at = (size_t)rand() % data->len;
            struct v2v_error err = { 0 };

            data->data[at] ^= mask;
            if (catalog_parse(data->data, data->len, &cat, &err) == 0 &&
                cat.signer.kind == whole.signer.kind) {
                unnoticed++;
                assert_int_equal(cat.member_count, whole.member_count);
                assert_string_equal(cat.signer.name, whole.signer.name);
                for (size_t m = 0; m < cat.member_count; m++)
                    assert_memory_equal(&cat.members[m].digest,
                                        &whole.members[m].digest,
                                        sizeof cat.members[m].digest);
            }
            data->data[at] ^= mask;
        }
        print_message("%s: %zu of %d changed bits unnoticed\n", paths[i],
                      unnoticed, FLIPS);
        assert_true(unnoticed * 100 <= FLIPS * MAX_UNNOTICED_PER_CENT);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signers),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_embedded),
        cmocka_unit_test(test_changed_files_show),
        cmocka_unit_test(test_changed_catalogs),
    };

    iso_path = shared_path("data/virtio-win/virtio-win-subset.iso");
    if (iso_path == NULL)
        return SKIPPED;
    int result = cmocka_run_group_tests(tests, open_medium, close_medium);

    free(iso_path);
    return result;
}
