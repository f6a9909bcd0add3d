/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images are those of tests/fuzz/make-corpus-catalog.sh; the hashes were
 * compared with "osslsigncode verify". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "catalog/pe.h"

/* mkpe's layout: the PE signature at 40h, the optional header behind 24 bytes;
 * its checksum at 64; the entry of the certificate table at 96 + 32 in PE32,
 * 112 + 32 in PE32+ */
enum {
    OPTIONAL = 0x40 + 24,
    CHECKSUM = OPTIONAL + 64,
    ENTRY_64 = OPTIONAL + 144,
    COUNT_64 = OPTIONAL + 108,
    IMAGE_LEN = 1536
};

static struct v2v_bytes
read_image(const char *name)
{
    struct v2v_bytes data = { 0 };
    struct v2v_error err = { 0 };
    V2V_AUTO(mem)
    char *path = v2v_format(&err, SOURCE_DIR "/tests/fuzz/corpus-pe/%s", name);

    assert_non_null(path);
    assert_int_equal(v2v_file_read(path, CATALOG_MAX_SIZE, &data, &err), 0);
    return data;
}

static void
put_u32(struct v2v_bytes *image, size_t at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        image->data[at + i] = (uint8_t)(value >> 8 * i);
}

static struct catalog_digest
hash_of(const struct v2v_bytes *image, enum catalog_hash hash)
{
    struct catalog_digest digest = { 0 };
    struct v2v_error err = { 0 };

    if (catalog_pe_hash(image->data, image->len, hash, &digest, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(digest.hash, hash);
    assert_int_equal(digest.len, hash == CATALOG_SHA1 ? 20 : 32);
    return digest;
}

static bool
is_same(struct catalog_digest a, struct catalog_digest b)
{
    return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

static void
test_known_hashes(void **state)
{
    static const struct {
        const char *file, *first; /* its first bytes */
    } cases[] = {
        { "amd64.sys", "\x9f\xdb\xca\x6c\x47\x9e\xb4\xd6" },
        { "x86.sys", "\x4b\x9a\x4c\x84\xe3\xa7\x0a\xb5" },
        { "longer.sys", "\xf2\x85\x7e\x03\xcd\x5d\xa2\x80" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes image = read_image(cases[i].file);
        struct catalog_digest digest = hash_of(&image, CATALOG_SHA256);

        assert_memory_equal(digest.bytes, cases[i].first, 8);
    }
}

static void
test_signing_keeps_the_hash(void **state)
{
    static const char *const files[][2] = {
        { "amd64.sys", "signed-amd64.sys" },
        { "x86.sys", "signed-x86.sys" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        V2V_AUTO(bytes) struct v2v_bytes plain = read_image(files[i][0]);
        V2V_AUTO(bytes) struct v2v_bytes with = read_image(files[i][1]);

        assert_true(is_same(hash_of(&plain, CATALOG_SHA1),
                            hash_of(&with, CATALOG_SHA1)));
        assert_true(is_same(hash_of(&plain, CATALOG_SHA256),
                            hash_of(&with, CATALOG_SHA256)));
    }
}

/* Each byte counts, but for the checksum and the certificate table's entry. */
static void
test_what_is_hashed(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes image = read_image("signed-amd64.sys");
    struct catalog_digest plain = hash_of(&image, CATALOG_SHA256);

    (void)state;
    for (size_t i = 0; i < image.len; i++) {
        bool left_out = (i >= CHECKSUM && i < CHECKSUM + 4) ||
                        (i >= ENTRY_64 && i < ENTRY_64 + 8) || i >= IMAGE_LEN;
        struct catalog_digest digest;
        struct v2v_error err = { 0 };

        image.data[i] ^= 1;
        if (catalog_pe_hash(image.data, image.len, CATALOG_SHA256, &digest,
                            &err) < 0)
            assert_true(i < 0x400); /* a header */
        else if (i < ENTRY_64 || i >= ENTRY_64 + 8)
            assert_int_equal(is_same(digest, plain), left_out);
        image.data[i] ^= 1;
    }
}

static void
assert_bad(const struct v2v_bytes *image, const char *message)
{
    struct catalog_digest digest = { .len = 7 };
    struct v2v_error err = { 0 };

    assert_int_equal(
        catalog_pe_hash(image->data, image->len, CATALOG_SHA1, &digest, &err),
        -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_string_equal(err.text, message);
    assert_int_equal(digest.len, 7);
}

static void
test_malformed_images(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *message;
    } cases[] = {
        { 0, 0, "not a PE image" },
        { 0x3C, 0xFFFFFFFE, "not a PE image" },
        { 0x3C, IMAGE_LEN - 3, "not a PE image" },
        { OPTIONAL, 0x20C, "PE image: neither PE32 nor PE32+" },
        { OPTIONAL - 4, 64,
          "PE image: its optional header is not in the file" },
        { OPTIONAL - 4, 100,
          "PE image: its optional header is not in the file" },
        { OPTIONAL - 4, 150,
          "PE image: its data directory is not in the file" },
        { OPTIONAL - 4, 0xFFFF,
          "PE image: its optional header is not in the file" },
        { ENTRY_64 + 4, IMAGE_LEN + 1,
          "PE image: its certificate table is not in the file" },
        { ENTRY_64 + 4, 8, /* at 0: inside the headers */
          "PE image: its certificate table is not in the file" },
        { ENTRY_64 + 4, 0xFFFFFFFF,
          "PE image: its certificate table is not in the file" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes image = read_image("amd64.sys");

        put_u32(&image, cases[i].at, cases[i].value);
        assert_bad(&image, cases[i].message);
    }
    for (size_t len = 0; len < OPTIONAL + 240; len++) {
        V2V_AUTO(bytes) struct v2v_bytes image = read_image("amd64.sys");
        struct catalog_digest digest;

        image.len = len;
        assert_int_equal(
            catalog_pe_hash(image.data, len, CATALOG_SHA1, &digest, NULL), -1);
    }
}

/* Without an entry for certificates there is none to leave out. */
static void
test_short_directory(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes image = read_image("amd64.sys");
    struct catalog_digest before, after;

    (void)state;
    put_u32(&image, COUNT_64, 4);
    before = hash_of(&image, CATALOG_SHA256);
    image.data[ENTRY_64] ^= 1;
    after = hash_of(&image, CATALOG_SHA256);
    assert_false(is_same(before, after));
}

static void
test_embedded_signatures(void **state)
{
    static const struct {
        const char *file;
        enum catalog_hash hash;
    } cases[] = {
        { "signed-amd64.sys", CATALOG_SHA256 },
        { "signed-x86.sys", CATALOG_SHA1 },
        { "signed-longer.sys", CATALOG_SHA256 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes image = read_image(cases[i].file);
        V2V_AUTO(catalog_signer) struct catalog_signer signer = { 0 };
        struct v2v_error err = { 0 };

        if (catalog_pe_signer(image.data, image.len, &signer, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(signer.name, "Virtio Fixtures TEST signature");
        assert_int_equal(signer.kind, CATALOG_SIGNER_SELF_SIGNED);
        assert_int_equal(signer.hash, cases[i].hash);
    }
}

static void
test_bad_embedded_signatures(void **state)
{
    static const struct {
        const char *file;
        size_t at;
        uint8_t value;
        enum v2v_error_code code;
        const char *message;
    } cases[] = {
        { "amd64.sys", 0, 'M', V2V_ERR_NOT_FOUND,
          "PE image: no signature in it" },
        { "signed-amd64.sys", IMAGE_LEN - 1, 1, V2V_ERR_FORMAT,
          "PE image: its signature is over another hash" },
        /* the entry's length, its type, the signature's tag */
        { "signed-amd64.sys", IMAGE_LEN + 3, 1, V2V_ERR_FORMAT,
          "PE image: bad entry in its certificate table" },
        { "signed-amd64.sys", IMAGE_LEN + 6, 1, V2V_ERR_FORMAT,
          "PE image: its certificate table has no signature" },
        { "signed-amd64.sys", IMAGE_LEN + 8, 0x31, V2V_ERR_FORMAT,
          "PE image: not an Authenticode signature: bad encoding: nested asn1 "
          "error" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes image = read_image(cases[i].file);
        struct catalog_signer signer = { 0 };
        struct v2v_error err = { 0 };

        image.data[cases[i].at] = cases[i].value;
        assert_int_equal(
            catalog_pe_signer(image.data, image.len, &signer, &err), -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
        assert_null(signer.name);
    }
}

/* A table in the middle would hide what the loader maps there from the hash. */
static void
test_certificates_are_at_the_end(void **state)
{
    static const uint32_t places[][2] = { { 0x200, 0x200 },
                                          { 0x200, IMAGE_LEN - 0x200 } };

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        V2V_AUTO(bytes)
        struct v2v_bytes image = read_image("signed-amd64.sys");
        struct catalog_digest digest;
        struct v2v_error err = { 0 };

        v2v_put_le(image.data + ENTRY_64, places[i][0], 4);
        v2v_put_le(image.data + ENTRY_64 + 4, places[i][1], 4);
        assert_int_equal(catalog_pe_hash(image.data, image.len, CATALOG_SHA256,
                                         &digest, &err),
                         -1);
        assert_string_equal(
            err.text, "PE image: its certificate table is not at its end");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_hashes),
        cmocka_unit_test(test_signing_keeps_the_hash),
        cmocka_unit_test(test_what_is_hashed),
        cmocka_unit_test(test_malformed_images),
        cmocka_unit_test(test_short_directory),
        cmocka_unit_test(test_certificates_are_at_the_end),
        cmocka_unit_test(test_embedded_signatures),
        cmocka_unit_test(test_bad_embedded_signatures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
