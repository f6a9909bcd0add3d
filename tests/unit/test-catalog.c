/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogs are those of tests/fuzz/make-corpus-catalog.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "catalog/anchors.h"
#include "catalog/catalog.h"
#include "catalog/sha256.h"

/* "test.inf" of the catalogs with entries */
static const char inf[] = "[Version]\r\nSignature=\"$Windows NT$\"\r\n";

static struct v2v_bytes
read_file(const char *folder, const char *name)
{
    struct v2v_bytes data = { 0 };
    struct v2v_error err = { 0 };
    V2V_AUTO(mem)
    char *path = v2v_format(&err, SOURCE_DIR "/tests/fuzz/%s/%s", folder, name);

    assert_non_null(path);
    assert_int_equal(v2v_file_read(path, CATALOG_MAX_SIZE, &data, &err), 0);
    return data;
}

static struct v2v_bytes
read_catalog(const char *name)
{
    return read_file("corpus-catalog", name);
}

static struct v2v_bytes root_key, verification_key;
static struct anchor test_anchors[2];
static const struct anchors anchors = { test_anchors, 2 };

static int
read_keys(void **state)
{
    (void)state;
    root_key = read_catalog("ms-root.key.der");
    verification_key = read_catalog("verification.key.der");
    test_anchors[0] = (struct anchor){ .name = "Test Root",
                                       .role = ANCHOR_MICROSOFT,
                                       .key = root_key.data,
                                       .key_len = root_key.len };
    test_anchors[1] = (struct anchor){ .name = "Test Verification Root",
                                       .role = ANCHOR_CODE_VERIFICATION,
                                       .key = verification_key.data,
                                       .key_len = verification_key.len };
    return 0;
}

static int
free_keys(void **state)
{
    (void)state;
    v2v_bytes_done(&root_key);
    v2v_bytes_done(&verification_key);
    return 0;
}

static void
test_signers(void **state)
{
    static const struct {
        const char *file, *name, *issuer;
        enum catalog_signer_kind kind;
        const char *anchor;
        size_t chain;
    } cases[] = {
        { "attestation.cat", "Test Publisher", "Test CA",
          CATALOG_SIGNER_ATTESTATION, "Test Root", 2 },
        { "whql.cat", "Test Laboratory", "Test CA", CATALOG_SIGNER_WHQL,
          "Test Root", 2 },
        { "microsoft.cat", "Test Product", "Test CA", CATALOG_SIGNER_MICROSOFT,
          "Test Root", 2 },
        { "cross-signed.cat", "Vendor, Inc.", "Other Root",
          CATALOG_SIGNER_CROSS_SIGNED, "Test Verification Root", 2 },
        /* says Microsoft, and nobody issued it */
        { "self-signed.cat", "Test Alone", "Test Alone",
          CATALOG_SIGNER_SELF_SIGNED, NULL, 1 },
        { "no-common-name.cat", "/O=Vendor, Inc./OU=Drivers",
          "/O=Vendor, Inc./OU=Drivers", CATALOG_SIGNER_SELF_SIGNED, NULL, 1 },
        /* issued by somebody who is no authority */
        { "no-authority.cat", "Test Child", "Test Publisher",
          CATALOG_SIGNER_UNKNOWN, NULL, 3 },
        /* the root's word, for something else */
        { "no-code-signing.cat", "Test Web Server", "Test CA",
          CATALOG_SIGNER_UNKNOWN, "Test Root", 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes data = read_catalog(cases[i].file);
        V2V_AUTO(catalog) struct catalog cat = { 0 };
        struct v2v_error err = { 0 };

        if (catalog_parse_with(data.data, data.len, &anchors, &cat, &err) < 0)
            fail_msg("%s: %s", cases[i].file, err.text);
        assert_string_equal(cat.signer.name, cases[i].name);
        assert_string_equal(cat.signer.issuer, cases[i].issuer);
        assert_int_equal(cat.signer.kind, cases[i].kind);
        assert_int_equal(cat.signer.hash, CATALOG_SHA256);
        assert_int_equal(cat.signer.chain_count, cases[i].chain);
        assert_string_equal(cat.signer.chain[0].name, cases[i].name);
        assert_true(cat.signer.not_before < cat.signer.not_after);
        assert_false(cat.signer.stamp.present);
        if (cases[i].anchor != NULL)
            assert_string_equal(cat.signer.anchor, cases[i].anchor);
        else
            assert_null(cat.signer.anchor);
    }
}

/* Names that say Microsoft are nothing to go by. */
static void
test_only_pinned_keys_count(void **state)
{
    static const char *const files[] = { "attestation.cat", "whql.cat",
                                         "microsoft.cat", "cross-signed.cat" };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        V2V_AUTO(bytes) struct v2v_bytes data = read_catalog(files[i]);
        V2V_AUTO(catalog) struct catalog cat = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(catalog_parse(data.data, data.len, &cat, &err), 0);
        assert_int_equal(cat.signer.kind, CATALOG_SIGNER_UNKNOWN);
        assert_null(cat.signer.anchor);
    }
}

static void
test_fingerprints_of_pinned_keys(void **state)
{
    (void)state;
    assert_int_equal(anchors_pinned.count, 3);
    for (size_t i = 0; i < anchors_pinned.count; i++) {
        const struct anchor *anchor = &anchors_pinned.items[i];
        uint8_t digest[CATALOG_SHA256_LEN];
        struct v2v_error err = { 0 };

        assert_int_equal(
            catalog_sha256(
                &(struct catalog_piece){ anchor->key, anchor->key_len }, 1,
                digest, &err),
            0);
        assert_memory_equal(digest, anchor->sha256, sizeof digest);
        assert_non_null(anchor->source);
    }
}

static void
test_roots_of_a_chain(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes data = read_catalog("cross-signed.cat");
    V2V_AUTO(bytes) struct v2v_bytes root = read_catalog("vendor-root.cer");
    V2V_AUTO(bytes) struct v2v_bytes other = read_catalog("attestation.cat");
    V2V_AUTO(catalog) struct catalog cat = { 0 }, unrelated = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(
        catalog_parse_with(data.data, data.len, &anchors, &cat, &err), 0);
    assert_int_equal(
        catalog_parse_with(other.data, other.len, &anchors, &unrelated, &err),
        0);
    /* the vendor's own root, of which the catalog has a cross-certificate */
    assert_true(catalog_is_root_of(&cat.signer, root.data, root.len));
    assert_false(catalog_is_root_of(&unrelated.signer, root.data, root.len));
    assert_false(catalog_is_root_of(&cat.signer, root.data, root.len - 1));
    assert_false(catalog_is_root_of(&cat.signer, "", 0));
}

static void
assert_refused(const void *data, size_t len, const char *message)
{
    struct catalog cat = { .member_count = 7 };
    struct v2v_error err = { 0 };

    assert_int_equal(catalog_parse(data, len, &cat, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    if (message != NULL)
        assert_string_equal(err.text, message);
    assert_null(cat.signer.name); /* output untouched on failure */
    assert_int_equal(cat.member_count, 7);
}

static void
test_other_files_are_refused(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes plain = read_catalog("no-attributes.cat");
    V2V_AUTO(bytes) struct v2v_bytes data = read_catalog("not-a-list.p7");

    (void)state;
    assert_refused(plain.data, plain.len,
                   "the signature is not over a certificate trust list");
    assert_refused(data.data, data.len,
                   "not a catalog: no certificate trust list in it");
    assert_refused("MZ", 2, "not a catalog: bad encoding: nested asn1 error");
    assert_refused("", 0, NULL);
    assert_refused("", CATALOG_MAX_SIZE + 1,
                   "not a catalog: larger than 16 MiB");
}

static void
test_cut_and_longer_files_are_refused(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes data = read_catalog("attestation.cat");
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t len = 0; len < data.len; len++)
        assert_refused(data.data, len, NULL);
    assert_int_equal(v2v_bytes_add(&data, "\0", 1, &err), 0);
    assert_refused(data.data, data.len, "not a catalog: bytes after its end");
}

static size_t
find(const struct v2v_bytes *data, const void *what, size_t len)
{
    const uint8_t *at = memmem(data->data, data->len, what, len);

    assert_non_null(at);
    return (size_t)(at - data->data);
}

/* A byte of the list, one of the digest attribute, one of the signature. */
static void
test_changed_bytes_do_not_verify(void **state)
{
    static const uint8_t digest_header[] = { 0x31, 0x22, 0x04, 0x20 };
    V2V_AUTO(bytes) struct v2v_bytes data = read_catalog("attestation.cat");
    const struct {
        size_t at;
        const char *message;
    } cases[] = {
        { find(&data, "240101000000Z", 13) + 5,
          "the signature does not verify: digest failure" },
        { find(&data, digest_header, sizeof digest_header) + 10,
          "the signature does not verify: digest failure" },
        { data.len - 1, "the signature does not verify: signature failure" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data.data[cases[i].at] ^= 1;
        assert_refused(data.data, data.len, cases[i].message);
        data.data[cases[i].at] ^= 1;
    }
}

/* Issuers of the right name, but of another key: beside the signer, and a root
 * that is an anchor's namesake. */
static void
test_forged_issuers_are_refused(void **state)
{
    static const char *const files[] = { "forged-issuer.cat",
                                         "other-root.cat" };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        V2V_AUTO(bytes) struct v2v_bytes data = read_catalog(files[i]);
        V2V_AUTO(catalog) struct catalog cat = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(
            catalog_parse_with(data.data, data.len, &anchors, &cat, &err), -1);
        assert_string_equal(err.text,
                            "a certificate in it is not by its issuer");
    }
}

/* No byte can change and leave the catalog as good as it was. */
static void
test_each_changed_byte_shows(void **state)
{
    static const char *const files[] = { "attestation.cat", "entries.cat" };

    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        V2V_AUTO(bytes) struct v2v_bytes data = read_catalog(files[f]);

        for (size_t i = 0; i < data.len; i++) {
            uint8_t mask = (uint8_t)(1 << i % 8);
            V2V_AUTO(catalog) struct catalog cat = { 0 };
            struct v2v_error err = { 0 };

            data.data[i] ^= mask;
            if (catalog_parse_with(data.data, data.len, &anchors, &cat, &err) ==
                    0 &&
                cat.signer.kind != CATALOG_SIGNER_UNKNOWN)
                fail_msg("%s: byte %zu", files[f], i);
            data.data[i] ^= mask;
        }
    }
}

static void
test_entries(void **state)
{
    static const struct {
        const char *file;
        enum catalog_hash hash;
        size_t len, os_count;
        const char *os, *os_attr;
    } cases[] = {
        { "entries.cat", CATALOG_SHA256, 32, 2, "_v100_X64", "2:10.0" },
        { "entries-7.cat", CATALOG_SHA1, 20, 3, "7X64", "2:6.1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes data = read_catalog(cases[i].file);
        V2V_AUTO(catalog) struct catalog cat = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(catalog_parse(data.data, data.len, &cat, &err), 0);
        assert_string_equal(cat.signer.name, "Virtio Fixtures TEST signature");
        assert_int_equal(cat.signer.kind, CATALOG_SIGNER_SELF_SIGNED);
        assert_int_equal(cat.os.count, cases[i].os_count);
        assert_string_equal(cat.os.items[1], cases[i].os);
        assert_int_equal(cat.os_attr.count, 1); /* each once */
        assert_string_equal(cat.os_attr.items[0], cases[i].os_attr);
        assert_int_equal(cat.hardware_ids.count, 1);
        assert_string_equal(cat.hardware_ids.items[0],
                            "pci\\ven_1af4&dev_1001");
        assert_int_equal(cat.member_count, 2);
        for (size_t m = 0; m < 2; m++) {
            assert_int_equal(cat.members[m].digest.hash, cases[i].hash);
            assert_int_equal(cat.members[m].digest.len, cases[i].len);
            assert_true(strcmp(cat.members[m].file, "test.inf") == 0 ||
                        strcmp(cat.members[m].file, "test.sys") == 0);
        }
    }
}

static void
test_files(void **state)
{
    static const char lf[] = "[Version]\nSignature=\"$Windows NT$\"\n";
    static const char mixed[] = "[Version]\nSignature=\"$Windows NT$\"\r\n";
    static const char changed[] = "[Version]\r\nSignature=\"$WINDOWS NT$\"\r\n";
    V2V_AUTO(bytes)
    struct v2v_bytes sys = read_file("corpus-pe", "amd64.sys");
    V2V_AUTO(bytes)
    struct v2v_bytes signed_sys = read_file("corpus-pe", "signed-amd64.sys");
    V2V_AUTO(bytes) struct v2v_bytes other = read_file("corpus-pe", "x86.sys");
    const struct {
        struct catalog_file file;
        enum catalog_match match;
    } cases[] = {
        { { "test.inf", inf, sizeof inf - 1 }, CATALOG_MATCH },
        { { "TEST.INF", inf, sizeof inf - 1 }, CATALOG_MATCH },
        { { "renamed.inf", inf, sizeof inf - 1 }, CATALOG_MATCH },
        { { "test.inf", lf, sizeof lf - 1 }, CATALOG_MATCH_WITH_CRLF },
        { { "test.inf", mixed, sizeof mixed - 1 }, CATALOG_MATCH_WITH_CRLF },
        { { "Test.inf", changed, sizeof changed - 1 }, CATALOG_MISMATCH },
        { { "other.inf", changed, sizeof changed - 1 }, CATALOG_NOT_LISTED },
        { { "test.inf", "", 0 }, CATALOG_MISMATCH },
        { { "test.sys", sys.data, sys.len }, CATALOG_MATCH },
        /* a signature inside does not change a PE image's hash */
        { { "test.sys", signed_sys.data, signed_sys.len }, CATALOG_MATCH },
        { { "test.sys", other.data, other.len }, CATALOG_MISMATCH },
        { { "test.sys", sys.data, sys.len - 1 }, CATALOG_MISMATCH },
    };
    static const char *const catalogs[] = { "entries.cat", "entries-7.cat" };

    (void)state;
    for (size_t c = 0; c < 2; c++) {
        V2V_AUTO(bytes) struct v2v_bytes data = read_catalog(catalogs[c]);
        V2V_AUTO(catalog) struct catalog cat = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(catalog_parse(data.data, data.len, &cat, &err), 0);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            enum catalog_match match;

            assert_int_equal(
                catalog_check_files(&cat, &cases[i].file, 1, &match, &err), 0);
            if (match != cases[i].match)
                fail_msg("case %zu: %s", i, catalog_match_text(match));
        }
    }
}

/* The catalog of a text in another encoding or with LF: by its hash alone. */
static void
test_line_ends(void **state)
{
    static const struct {
        const char *listed, *found;
        size_t listed_len, found_len;
        enum catalog_match match;
    } cases[] = {
        { "a\nb\n", "a\r\nb\r\n", 4, 6, CATALOG_MATCH_WITH_LF },
        { "a\r\nb\r\n", "a\nb\n", 6, 4, CATALOG_MATCH_WITH_CRLF },
        { "\xff\xfe"
          "a\0\r\0\n\0",
          "\xff\xfe"
          "a\0\n\0",
          8, 6, CATALOG_MATCH_WITH_CRLF },
        { "\xfe\xff"
          "\0a\0\n",
          "\xfe\xff"
          "\0a\0\r\0\n",
          6, 8, CATALOG_MATCH_WITH_LF },
        /* U+010A is no line end */
        { "\xff\xfe"
          "\n\1\r\0\n\0",
          "\xff\xfe"
          "\n\1\n\0",
          8, 6, CATALOG_MATCH_WITH_CRLF },
        { "a\rb", "a\rb\n", 3, 4, CATALOG_MISMATCH },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[] = "x";
        struct catalog_member member = { .file = name };
        const struct catalog cat = { .members = &member, .member_count = 1 };
        const struct catalog_piece piece = { cases[i].listed,
                                             cases[i].listed_len };
        struct v2v_error err = { 0 };
        enum catalog_match match;

        assert_int_equal(catalog_sha256(&piece, 1, member.digest.bytes, &err),
                         0);
        member.digest.hash = CATALOG_SHA256;
        member.digest.len = CATALOG_SHA256_LEN;
        assert_int_equal(
            catalog_check_files(&cat,
                                &(struct catalog_file){ "x", cases[i].found,
                                                        cases[i].found_len },
                                1, &match, &err),
            0);
        assert_int_equal(match, cases[i].match);
    }
    assert_string_equal(
        catalog_match_text(CATALOG_MATCH_WITH_CRLF),
        "had its line ends converted from CR LF to LF, which breaks the "
        "signature: with CR LF restored its hash is the catalog's");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signers),
        cmocka_unit_test(test_only_pinned_keys_count),
        cmocka_unit_test(test_fingerprints_of_pinned_keys),
        cmocka_unit_test(test_roots_of_a_chain),
        cmocka_unit_test(test_other_files_are_refused),
        cmocka_unit_test(test_cut_and_longer_files_are_refused),
        cmocka_unit_test(test_changed_bytes_do_not_verify),
        cmocka_unit_test(test_forged_issuers_are_refused),
        cmocka_unit_test(test_each_changed_byte_shows),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_line_ends),
    };

    return cmocka_run_group_tests(tests, read_keys, free_keys);
}
