/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "catalog/signed.h"

/* wincrypt.h, szOID_WHQL_CRYPTO; with .1, attestation: Microsoft, "Validate
 * attestation signed driver" */
static const char oid_whql[] = "1.3.6.1.4.1.311.10.3.5";
static const char oid_attestation[] = "1.3.6.1.4.1.311.10.3.5.1";
static const char oid_code_signing[] = "1.3.6.1.5.5.7.3.3"; /* RFC 5280 */

/* Above the signer's there are up to three in virtio-win's, in all five. */
enum { max_depth = 8, max_certificates = 32 };

V2V_AUTO_DEFINE(eku, EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free)
V2V_AUTO_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
V2V_AUTO_DEFINE(store, X509_STORE *, X509_STORE_free)
V2V_AUTO_DEFINE(store_ctx, X509_STORE_CTX *, X509_STORE_CTX_free)
V2V_AUTO_DEFINE(x509, X509 *, X509_free)

void
catalog_signer_done(struct catalog_signer *signer)
{
    for (size_t i = 0; i < signer->chain_count; i++) {
        free(signer->chain[i].name);
        v2v_bytes_done(&signer->chain[i].der);
    }
    free(signer->chain);
    free(signer->name);
    free(signer->issuer);
    free(signer->stamp.name);
    *signer = (struct catalog_signer){ 0 };
}

static int
fail_memory(struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_INTERNAL, "libcrypto: out of memory");
}

static char *
whole_name(const X509_NAME *name, struct v2v_error *err)
{
    char *text = X509_NAME_oneline(name, NULL, 0);
    char *copy;

    if (text == NULL) {
        fail_memory(err);
        return NULL;
    }
    copy = v2v_strdup(text, err);
    OPENSSL_free(text);
    return copy;
}

char *
chain_name(const X509_NAME *name, struct v2v_error *err)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *utf8 = NULL;
    char *copy = NULL;
    int len;

    if (at < 0)
        return whole_name(name, err);
    len = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len < 0 || memchr(utf8, '\0', (size_t)len) != NULL)
        v2v_error_set(err, V2V_ERR_FORMAT,
                      "a certificate's name is not readable text");
    else
        copy = v2v_strndup((const char *)utf8, (size_t)len, err);
    OPENSSL_free(utf8);
    return copy;
}

bool
chain_time(const ASN1_TIME *time, int64_t *ret)
{
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *ret = timegm(&tm);
    return true;
}

bool
chain_has_usage(X509 *cert, const char *oid)
{
    V2V_AUTO(eku)
    EXTENDED_KEY_USAGE *eku =
        X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);

    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        if (signed_is_oid(sk_ASN1_OBJECT_value(eku, i), oid))
            return true;
    }
    return false;
}

static bool
has_common_name(const X509_NAME *name, const char *wanted)
{
    V2V_AUTO(mem) char *text = chain_name(name, NULL);

    return text != NULL && strcmp(text, wanted) == 0;
}

/* The anchor that issued @cert, or whose own certificate it is; or NULL. */
static const struct anchor *
find_anchor(X509 *cert, const struct anchors *anchors)
{
    for (size_t i = 0; i < anchors->count; i++) {
        const struct anchor *anchor = &anchors->items[i];
        const unsigned char *p = anchor->key;
        V2V_AUTO(pkey) EVP_PKEY *key = NULL;

        if (!has_common_name(X509_get_issuer_name(cert), anchor->name))
            continue;
        key = d2i_PUBKEY(NULL, &p, (long)anchor->key_len);
        if (key != NULL && X509_verify(cert, key) == 1)
            return anchor;
    }
    return NULL;
}

static bool
is_issued_by(X509 *cert, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    return key != NULL && X509_verify(cert, key) == 1;
}

static bool
is_issuer_known(X509 *cert, const STACK_OF(X509) * certs,
                const struct anchors *anchors)
{
    const X509_NAME *name = X509_get_issuer_name(cert);

    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (X509_NAME_cmp(name,
                          X509_get_subject_name(sk_X509_value(certs, i))) == 0)
            return true;
    }
    for (size_t i = 0; i < anchors->count; i++) {
        if (has_common_name(name, anchors->items[i].name))
            return true;
    }
    return false;
}

int
chain_check_all(const STACK_OF(X509) * certs, const struct anchors *anchors,
                struct v2v_error *err)
{
    if (sk_X509_num(certs) > max_certificates)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d certificates",
                        max_certificates);
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        bool good = !is_issuer_known(cert, certs, anchors) ||
                    find_anchor(cert, anchors) != NULL;

        for (int j = 0; !good && j < sk_X509_num(certs); j++)
            good = is_issued_by(cert, sk_X509_value(certs, j));
        if (!good)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "a certificate in it is not by its issuer");
    }
    return 0;
}

/* SHA-1 is what old signatures have.  Dates are judged by who knows the
 * guest's and the time stamp's. */
static int
prepare(X509_STORE_CTX *ctx, X509_STORE *store, X509 *cert,
        STACK_OF(X509) * certs)
{
    X509_VERIFY_PARAM *param;

    if (X509_STORE_CTX_init(ctx, store, cert, certs) != 1)
        return -1;
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
                                           X509_V_FLAG_NO_CHECK_TIME);
    X509_VERIFY_PARAM_set_auth_level(param, 0);
    X509_VERIFY_PARAM_set_depth(param, max_depth);
    return 0;
}

/* A chain to a certificate that an anchor vouches for: new and @ret_anchor;
 * *ret stays NULL when there is none. */
static int
find_anchored(const PKCS7 *p7, X509 *cert, const struct anchors *anchors,
              STACK_OF(X509) * *ret, const struct anchor **ret_anchor,
              struct v2v_error *err)
{
    STACK_OF(X509) *certs = p7->d.sign->cert;
    V2V_AUTO(store) X509_STORE *store = X509_STORE_new();
    V2V_AUTO(store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    if (store == NULL || ctx == NULL)
        return fail_memory(err);
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *candidate = sk_X509_value(certs, i);

        if (find_anchor(candidate, anchors) != NULL &&
            X509_STORE_add_cert(store, candidate) != 1)
            return fail_memory(err);
    }
    if (prepare(ctx, store, cert, certs) < 0)
        return fail_memory(err);
    if (X509_verify_cert(ctx) != 1)
        return 0;
    *ret = X509_STORE_CTX_get1_chain(ctx);
    if (*ret == NULL)
        return fail_memory(err);
    *ret_anchor =
        find_anchor(sk_X509_value(*ret, sk_X509_num(*ret) - 1), anchors);
    return 0;
}

/* The certificate in the file that issued @cert, or NULL. */
static X509 *
find_issuer(STACK_OF(X509) * certs, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *issuer = sk_X509_value(certs, i);

        if (issuer != cert && X509_check_issued(issuer, cert) == X509_V_OK &&
            is_issued_by(cert, issuer))
            return issuer;
    }
    return NULL;
}

/* As far up as the file goes. */
static int
find_unanchored(const PKCS7 *p7, X509 *cert, STACK_OF(X509) * *ret,
                struct v2v_error *err)
{
    V2V_AUTO(certs) STACK_OF(X509) *chain = sk_X509_new_null();

    if (chain == NULL)
        return fail_memory(err);
    for (X509 *at = cert; at != NULL && sk_X509_num(chain) <= max_depth;
         at = find_issuer(p7->d.sign->cert, at)) {
        if (X509_up_ref(at) != 1 || sk_X509_push(chain, at) <= 0)
            return fail_memory(err);
    }
    *ret = v2v_steal(chain);
    return 0;
}

static enum catalog_signer_kind
kind_of(X509 *cert, const struct anchor *anchor)
{
    if (anchor == NULL)
        return X509_self_signed(cert, 1) == 1 ? CATALOG_SIGNER_SELF_SIGNED
                                              : CATALOG_SIGNER_UNKNOWN;
    /* an anchor vouches for other uses too */
    if (!chain_has_usage(cert, oid_code_signing))
        return CATALOG_SIGNER_UNKNOWN;
    if (anchor->role == ANCHOR_CODE_VERIFICATION)
        return CATALOG_SIGNER_CROSS_SIGNED;
    if (chain_has_usage(cert, oid_attestation))
        return CATALOG_SIGNER_ATTESTATION;
    return chain_has_usage(cert, oid_whql) ? CATALOG_SIGNER_WHQL
                                           : CATALOG_SIGNER_MICROSOFT;
}

static int
keep_certificate(X509 *cert, struct catalog_certificate *ret,
                 struct v2v_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    int result = -1;

    ret->name = chain_name(X509_get_subject_name(cert), err);
    if (len < 0 || X509_digest(cert, EVP_sha1(), ret->sha1, NULL) != 1)
        fail_memory(err);
    else if (ret->name != NULL)
        result = v2v_bytes_copy(der, (size_t)len, &ret->der, err);
    OPENSSL_free(der);
    return result;
}

static int
keep_chain(STACK_OF(X509) * chain, struct catalog_signer *signer,
           struct v2v_error *err)
{
    size_t count = (size_t)sk_X509_num(chain);

    signer->chain = calloc(count, sizeof *signer->chain);
    if (signer->chain == NULL)
        return v2v_fail_errno(err, errno, "certificates");
    while (signer->chain_count < count) {
        size_t i = signer->chain_count++;

        if (keep_certificate(sk_X509_value(chain, (int)i), &signer->chain[i],
                             err) < 0)
            return -1;
    }
    return 0;
}

int
chain_read(const PKCS7 *p7, X509 *cert, const struct anchors *anchors,
           struct catalog_signer *signer, struct v2v_error *err)
{
    V2V_AUTO(certs) STACK_OF(X509) *chain = NULL;
    const struct anchor *anchor = NULL;

    signer->name = chain_name(X509_get_subject_name(cert), err);
    if (signer->name == NULL)
        return -1;
    signer->issuer = chain_name(X509_get_issuer_name(cert), err);
    if (signer->issuer == NULL)
        return -1;
    if (!chain_time(X509_get0_notBefore(cert), &signer->not_before) ||
        !chain_time(X509_get0_notAfter(cert), &signer->not_after))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the signer's certificate has no readable dates");
    if (find_anchored(p7, cert, anchors, &chain, &anchor, err) < 0)
        return -1;
    if (chain == NULL && find_unanchored(p7, cert, &chain, err) < 0)
        return -1;
    signer->kind = kind_of(cert, anchor);
    signer->anchor = anchor != NULL ? anchor->name : NULL;
    return keep_chain(chain, signer, err);
}

static X509 *
read_certificate(const void *der, size_t len)
{
    const unsigned char *p = der;
    X509 *cert = len <= CATALOG_MAX_SIZE ? d2i_X509(NULL, &p, (long)len) : NULL;

    if (cert != NULL && p != (const unsigned char *)der + len) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

static bool
is_same_authority(const X509 *a, const X509 *b)
{
    const EVP_PKEY *key_a = X509_get0_pubkey(a), *key_b = X509_get0_pubkey(b);

    return key_a != NULL && key_b != NULL && EVP_PKEY_eq(key_a, key_b) == 1 &&
           X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) ==
               0;
}

bool
catalog_is_root_of(const struct catalog_signer *signer, const void *der,
                   size_t len)
{
    V2V_AUTO(x509) X509 *root = read_certificate(der, len);
    bool found = false;

    for (size_t i = 0; root != NULL && i < signer->chain_count && !found; i++) {
        V2V_AUTO(x509)
        X509 *cert = read_certificate(signer->chain[i].der.data,
                                      signer->chain[i].der.len);

        found = cert != NULL && is_same_authority(root, cert);
        if (!found && cert != NULL && i + 1 == signer->chain_count)
            found = X509_check_issued(root, cert) == X509_V_OK &&
                    X509_verify(cert, X509_get0_pubkey(root)) == 1;
    }
    ERR_clear_error();
    return found;
}
