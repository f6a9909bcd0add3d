/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/catalog.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* Microsoft, "Authenticode PE Signature Format" and wintrust.h, szOID_CTL */
static const char oid_ctl[] = "1.3.6.1.4.1.311.10.1";
/* wincrypt.h, szOID_WHQL_CRYPTO; with .1, attestation: Microsoft, "Validate
 * attestation signed driver" */
static const char oid_whql[] = "1.3.6.1.4.1.311.10.3.5";
static const char oid_attestation[] = "1.3.6.1.4.1.311.10.3.5.1";
static const char microsoft[] = "Microsoft Corporation";

/* A signing certificate of virtio-win has one to four certificates above. */
enum { max_chain = 8, max_certificates = 64 };

V2V_AUTO_DEFINE(pkcs7, PKCS7 *, PKCS7_free)
V2V_AUTO_DEFINE(bio, BIO *, BIO_free_all)
V2V_AUTO_DEFINE(eku, EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free)

/* libcrypto's own reason, when it has one */
static int
fail_crypto(struct v2v_error *err, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    if (reason == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s", what);
    return v2v_fail(err, V2V_ERR_FORMAT, "%s: %s", what, reason);
}

static bool
is_oid(const ASN1_OBJECT *object, const char *oid)
{
    char text[80];
    int len = OBJ_obj2txt(text, sizeof text, object, 1);

    return len > 0 && (size_t)len < sizeof text && strcmp(text, oid) == 0;
}

static int
parse(const void *data, size_t len, PKCS7 **ret, struct v2v_error *err)
{
    V2V_AUTO(pkcs7) PKCS7 *p7 = NULL;
    const unsigned char *p = data;
    PKCS7 *content;

    if (len > CATALOG_MAX_SIZE)
        return v2v_fail(err, V2V_ERR_FORMAT, "catalog larger than %zu MiB",
                        CATALOG_MAX_SIZE >> 20);
    p7 = d2i_PKCS7(NULL, &p, (long)len);
    if (p7 == NULL)
        return fail_crypto(err, "not a catalog");
    if (p != (const unsigned char *)data + len)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "not a catalog: bytes after its end");
    if (!PKCS7_type_is_signed(p7) || p7->d.sign == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "not a catalog: not signed data");
    content = p7->d.sign->contents;
    if (content == NULL || !is_oid(content->type, oid_ctl) ||
        content->d.other == NULL || content->d.other->type != V_ASN1_SEQUENCE)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "not a catalog: no certificate trust list in it");
    *ret = v2v_steal(p7);
    return 0;
}

static int
find_signer(PKCS7 *p7, PKCS7_SIGNER_INFO **ret_info, X509 **ret_cert,
            struct v2v_error *err)
{
    STACK_OF(PKCS7_SIGNER_INFO) *infos = PKCS7_get_signer_info(p7);
    PKCS7_SIGNER_INFO *info;
    X509 *cert;

    if (sk_PKCS7_SIGNER_INFO_num(infos) != 1)
        return v2v_fail(err, V2V_ERR_FORMAT, "%d signers instead of one",
                        sk_PKCS7_SIGNER_INFO_num(infos));
    if (sk_X509_num(p7->d.sign->cert) > max_certificates)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d certificates",
                        max_certificates);
    info = sk_PKCS7_SIGNER_INFO_value(infos, 0);
    cert = PKCS7_cert_from_signer_info(p7, info);
    if (cert == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the signer's certificate is not in the catalog");
    *ret_info = info;
    *ret_cert = cert;
    return 0;
}

/* The digest covers the list's content octets, not its tag and length
 * (RFC 2315, 9.3). */
static int
find_content(const PKCS7 *p7, const unsigned char **ret, size_t *ret_len,
             struct v2v_error *err)
{
    const ASN1_STRING *list = p7->d.sign->contents->d.other->value.sequence;
    const unsigned char *p = ASN1_STRING_get0_data(list);
    long len;
    int tag, class;
    /* 0x80: bad header; 1: indefinite length, which DER has not */
    int form =
        ASN1_get_object(&p, &len, &tag, &class, ASN1_STRING_length(list));

    if (form & 0x81)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "not a catalog: bad encoding of its list");
    *ret = p;
    *ret_len = (size_t)len;
    return 0;
}

/* Without signed attributes the signature would be over the list itself;
 * RFC 2315 allows that for plain data only. */
static int
check_content_type(PKCS7_SIGNER_INFO *info, struct v2v_error *err)
{
    const ASN1_TYPE *type =
        PKCS7_get_signed_attribute(info, NID_pkcs9_contentType);

    if (type == NULL || type->type != V_ASN1_OBJECT ||
        !is_oid(type->value.object, oid_ctl))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the signature is not over a certificate trust list");
    return 0;
}

static int
verify(PKCS7 *p7, PKCS7_SIGNER_INFO *info, X509 *cert, struct v2v_error *err)
{
    const EVP_MD *md = EVP_get_digestbyobj(info->digest_alg->algorithm);
    V2V_AUTO(bio) BIO *bio = BIO_new(BIO_f_md());
    BIO *sink = BIO_new(BIO_s_null());
    const unsigned char *content;
    size_t len, written;

    if (bio == NULL || sink == NULL || BIO_push(bio, sink) == NULL) {
        BIO_free(sink);
        return v2v_fail(err, V2V_ERR_INTERNAL, "libcrypto: out of memory");
    }
    if (check_content_type(info, err) < 0 ||
        find_content(p7, &content, &len, err) < 0)
        return -1;
    if (md == NULL || BIO_set_md(bio, md) <= 0)
        return fail_crypto(err, "unknown digest algorithm");
    if (len > 0 && !BIO_write_ex(bio, content, len, &written))
        return fail_crypto(err, "digest");
    /* compares the messageDigest attribute, then verifies the attributes */
    if (PKCS7_signatureVerify(bio, p7, info, cert) != 1)
        return fail_crypto(err, "the signature does not verify");
    return 0;
}

static char *
dup_subject(X509 *cert, struct v2v_error *err)
{
    char *text = X509_NAME_oneline(X509_get_subject_name(cert), NULL, 0);
    char *copy;

    if (text == NULL) {
        v2v_error_set(err, V2V_ERR_INTERNAL, "libcrypto: out of memory");
        return NULL;
    }
    copy = v2v_strdup(text, err);
    OPENSSL_free(text);
    return copy;
}

static char *
dup_common_name(X509 *cert, struct v2v_error *err)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *utf8 = NULL;
    char *copy = NULL;
    int len;

    if (at < 0)
        return dup_subject(cert, err);
    len = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len < 0 || memchr(utf8, '\0', (size_t)len) != NULL)
        v2v_error_set(err, V2V_ERR_FORMAT,
                      "the signer's name is not readable text");
    else
        copy = v2v_strndup((const char *)utf8, (size_t)len, err);
    OPENSSL_free(utf8);
    return copy;
}

static bool
is_microsoft_name(const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);
    const ASN1_STRING *s;

    if (at < 0)
        return false;
    s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return (size_t)ASN1_STRING_length(s) == strlen(microsoft) &&
           memcmp(ASN1_STRING_get0_data(s), microsoft, strlen(microsoft)) == 0;
}

/* The certificate in the catalog that issued @cert, or NULL. */
static X509 *
find_issuer(const PKCS7 *p7, X509 *cert)
{
    STACK_OF(X509) *certs = p7->d.sign->cert;

    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *issuer = sk_X509_value(certs, i);
        EVP_PKEY *key = X509_get0_pubkey(issuer);

        if (issuer != cert && X509_check_issued(issuer, cert) == X509_V_OK &&
            key != NULL && X509_verify(cert, key) == 1)
            return issuer;
    }
    return NULL;
}

static bool
is_by_microsoft(const PKCS7 *p7, X509 *cert)
{
    X509 *issuer = find_issuer(p7, cert);

    if (issuer == NULL)
        return false;
    for (int i = 0; issuer != NULL && i < max_chain; i++) {
        if (!is_microsoft_name(X509_get_subject_name(issuer)) ||
            !is_microsoft_name(X509_get_issuer_name(issuer)))
            return false;
        issuer = find_issuer(p7, issuer);
    }
    return issuer == NULL;
}

static bool
has_key_usage(X509 *cert, const char *oid)
{
    V2V_AUTO(eku)
    EXTENDED_KEY_USAGE *eku =
        X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);

    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        if (is_oid(sk_ASN1_OBJECT_value(eku, i), oid))
            return true;
    }
    return false;
}

static int
read_signer(const void *data, size_t len, struct catalog_signer *ret,
            struct v2v_error *err)
{
    V2V_AUTO(pkcs7) PKCS7 *p7 = NULL;
    struct catalog_signer signer = { 0 };
    PKCS7_SIGNER_INFO *info;
    X509 *cert;

    if (parse(data, len, &p7, err) < 0 ||
        find_signer(p7, &info, &cert, err) < 0 ||
        verify(p7, info, cert, err) < 0)
        return -1;
    signer.name = dup_common_name(cert, err);
    if (signer.name == NULL)
        return -1;
    signer.microsoft = is_by_microsoft(p7, cert);
    signer.attestation =
        signer.microsoft && has_key_usage(cert, oid_attestation);
    signer.whql = signer.microsoft && !signer.attestation &&
                  has_key_usage(cert, oid_whql);
    *ret = signer;
    return 0;
}

int
catalog_signer(const void *data, size_t len, struct catalog_signer *ret,
               struct v2v_error *err)
{
    int result;

    /* the queue is the thread's: leave nothing of ours to others */
    ERR_clear_error();
    result = read_signer(data, len, ret, err);
    ERR_clear_error();
    return result;
}

void
catalog_signer_done(struct catalog_signer *s)
{
    free(s->name);
    *s = (struct catalog_signer){ 0 };
}
