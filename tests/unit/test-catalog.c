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
#include "catalog/catalog.h"

static struct v2v_bytes
read_catalog(const char *name)
{
    struct v2v_bytes data = { 0 };
    struct v2v_error err = { 0 };
    V2V_AUTO(mem)
    char *path =
        v2v_format(&err, SOURCE_DIR "/tests/fuzz/corpus-catalog/%s", name);

    assert_non_null(path);
    assert_int_equal(v2v_file_read(path, CATALOG_MAX_SIZE, &data, &err), 0);
    return data;
}

static void
test_signers(void **state)
{
    static const struct {
        const char *file, *name;
        bool microsoft, whql, attestation;
    } cases[] = {
        { "attestation.cat", "Test Publisher", true, false, true },
        { "whql.cat", "Test Laboratory", true, true, false },
        /* says Microsoft, and nobody issued it */
        { "self-signed.cat", "Test Alone", false, false, false },
        /* issuer of the right name, but of another key */
        { "forged-issuer.cat", "Test Publisher", false, false, false },
        /* ends at Microsoft by way of somebody else, like Red Hat's for w7 */
        { "cross-signed.cat", "Vendor, Inc.", false, false, false },
        { "no-common-name.cat", "/O=Vendor, Inc./OU=Drivers", false, false,
          false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes data = read_catalog(cases[i].file);
        V2V_AUTO(catalog_signer) struct catalog_signer signer = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(catalog_signer(data.data, data.len, &signer, &err), 0);
        assert_string_equal(signer.name, cases[i].name);
        assert_int_equal(signer.microsoft, cases[i].microsoft);
        assert_int_equal(signer.whql, cases[i].whql);
        assert_int_equal(signer.attestation, cases[i].attestation);
    }
}

static void
assert_refused(const void *data, size_t len, const char *message)
{
    struct catalog_signer signer = { .whql = true };
    struct v2v_error err = { 0 };

    assert_int_equal(catalog_signer(data, len, &signer, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    if (message != NULL)
        assert_string_equal(err.text, message);
    assert_null(signer.name); /* output untouched on failure */
    assert_true(signer.whql);
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
    assert_refused("MZ", 2, NULL);
    assert_refused("", 0, NULL);
    assert_refused("", CATALOG_MAX_SIZE + 1, "catalog larger than 16 MiB");
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signers),
        cmocka_unit_test(test_other_files_are_refused),
        cmocka_unit_test(test_cut_and_longer_files_are_refused),
        cmocka_unit_test(test_changed_bytes_do_not_verify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
