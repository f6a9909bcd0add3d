/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/signed.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

V2V_AUTO_DEFINE(pkcs7, PKCS7 *, PKCS7_free)
V2V_AUTO_DEFINE(bio, BIO *, BIO_free_all)

void
signed_done(struct signed_data *s)
{
    PKCS7_free(s->p7);
    catalog_signer_done(&s->signer);
    *s = (struct signed_data){ 0 };
}

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

bool
signed_is_oid(const ASN1_OBJECT *object, const char *oid)
{
    char text[DER_MAX_OID];
    int len = OBJ_obj2txt(text, sizeof text, object, 1);

    return len > 0 && (size_t)len < sizeof text && strcmp(text, oid) == 0;
}

/* libcrypto is generous: what it writes again must be what it read, or bytes
 * could change unnoticed. */
static bool
is_canonical(const PKCS7 *p7, const void *data, size_t len)
{
    unsigned char *again = NULL;
    int again_len = i2d_PKCS7(p7, &again);
    bool same = again_len >= 0 && (size_t)again_len == len &&
                memcmp(again, data, len) == 0;

    OPENSSL_free(again);
    return same;
}

static int
parse(const void *data, size_t len, const struct signed_form *form, PKCS7 **ret,
      struct v2v_error *err)
{
    V2V_AUTO(pkcs7) PKCS7 *p7 = NULL;
    const unsigned char *p = data;
    PKCS7 *content;

    if (len > CATALOG_MAX_SIZE)
        return v2v_fail(err, V2V_ERR_FORMAT, "not %s: larger than %d MiB",
                        form->what, CATALOG_MAX_SIZE >> 20);
    p7 = d2i_PKCS7(NULL, &p, (long)len);
    if (p7 == NULL) {
        fail_crypto(err, "bad encoding");
        return v2v_fail_in(err, "not %s", form->what);
    }
    if (p != (const unsigned char *)data + len)
        return v2v_fail(err, V2V_ERR_FORMAT, "not %s: bytes after its end",
                        form->what);
    if (!is_canonical(p7, data, len))
        return v2v_fail(err, V2V_ERR_FORMAT, "not %s: not in DER", form->what);
    if (!PKCS7_type_is_signed(p7) || p7->d.sign == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "not %s: not signed data",
                        form->what);
    content = p7->d.sign->contents;
    if (content == NULL || !signed_is_oid(content->type, form->oid) ||
        content->d.other == NULL || content->d.other->type != V_ASN1_SEQUENCE)
        return v2v_fail(err, V2V_ERR_FORMAT, "not %s: no %s in it", form->what,
                        form->content);
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
    info = sk_PKCS7_SIGNER_INFO_value(infos, 0);
    cert = PKCS7_cert_from_signer_info(p7, info);
    if (cert == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the signer's certificate is not in it");
    *ret_info = info;
    *ret_cert = cert;
    return 0;
}

static bool
is_same_algorithm(const X509_ALGOR *a, const X509_ALGOR *b)
{
    return X509_ALGOR_cmp(a, b) == 0;
}

/* The signer's certificate is named by issuer and serial number; libcrypto
 * compares names without regard to case. */
static bool
is_same_issuer(const PKCS7_SIGNER_INFO *info, const X509 *cert)
{
    const unsigned char *a, *b;
    size_t a_len, b_len;

    return X509_NAME_get0_der(info->issuer_and_serial->issuer, &a, &a_len) ==
               1 &&
           X509_NAME_get0_der(X509_get_issuer_name(cert), &b, &b_len) == 1 &&
           der_equal((struct der){ a, a_len }, b, b_len);
}

/* libcrypto goes by the key and leaves this field alone. */
static bool
is_algorithm_of(const PKCS7_SIGNER_INFO *info, X509 *cert)
{
    int nid = OBJ_obj2nid(info->digest_enc_alg->algorithm), md, key;
    const EVP_PKEY *pkey = X509_get0_pubkey(cert);
    int id = pkey != NULL ? EVP_PKEY_get_base_id(pkey) : NID_undef;
    const ASN1_TYPE *parameter = info->digest_enc_alg->parameter;

    if (parameter != NULL && parameter->type != V_ASN1_NULL)
        return false;
    if (nid != NID_undef && nid == id)
        return true;
    return OBJ_find_sigid_algs(nid, &md, &key) == 1 &&
           EVP_PKEY_type(key) == id &&
           md == OBJ_obj2nid(info->digest_alg->algorithm);
}

bool
signed_fits(const PKCS7_SIGNER_INFO *info, X509 *cert)
{
    return ASN1_INTEGER_get(info->version) == 1 && is_same_issuer(info, cert) &&
           is_algorithm_of(info, cert);
}

/* RFC 2315, 9.1: the version is 1; one signer, so one digest algorithm. */
static int
check_fields(const PKCS7 *p7, const PKCS7_SIGNER_INFO *info, X509 *cert,
             struct v2v_error *err)
{
    STACK_OF(X509_ALGOR) *digests = p7->d.sign->md_algs;

    if (ASN1_INTEGER_get(p7->d.sign->version) != 1 ||
        sk_X509_ALGOR_num(digests) != 1 ||
        !is_same_algorithm(sk_X509_ALGOR_value(digests, 0), info->digest_alg) ||
        !signed_fits(info, cert))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "fields outside of the signature do not fit it");
    return 0;
}

/* The digest covers the content octets, not tag and length (RFC 2315, 9.3). */
static int
find_content(const PKCS7 *p7, const struct signed_form *form, struct der *ret,
             struct v2v_error *err)
{
    const ASN1_STRING *s = p7->d.sign->contents->d.other->value.sequence;
    struct der whole = { ASN1_STRING_get0_data(s),
                         (size_t)ASN1_STRING_length(s) };

    if (!der_take(&whole, V_ASN1_SEQUENCE, ret) || whole.len != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "not %s: bad encoding of its %s",
                        form->what, form->content);
    return 0;
}

/* Without signed attributes the signature would be over the content itself;
 * RFC 2315 allows that for plain data only. */
static int
check_content_type(PKCS7_SIGNER_INFO *info, const struct signed_form *form,
                   struct v2v_error *err)
{
    const ASN1_TYPE *type =
        PKCS7_get_signed_attribute(info, NID_pkcs9_contentType);

    if (type == NULL || type->type != V_ASN1_OBJECT ||
        !signed_is_oid(type->value.object, form->oid))
        return v2v_fail(err, V2V_ERR_FORMAT, "the signature is not over a %s",
                        form->content);
    return 0;
}

static int
read_hash(const PKCS7_SIGNER_INFO *info, enum catalog_hash *ret,
          struct v2v_error *err)
{
    switch (OBJ_obj2nid(info->digest_alg->algorithm)) {
    case NID_sha1:
        *ret = CATALOG_SHA1;
        return 0;
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        *ret = CATALOG_SHA256;
        return 0;
    default:
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the signature's hash is neither SHA-1 nor SHA-2");
    }
}

bool
signed_verify(PKCS7 *p7, PKCS7_SIGNER_INFO *info, X509 *cert,
              struct der content)
{
    const EVP_MD *md = EVP_get_digestbyobj(info->digest_alg->algorithm);
    V2V_AUTO(bio) BIO *bio = BIO_new(BIO_f_md());
    BIO *sink = BIO_new(BIO_s_null());
    size_t written;

    if (bio == NULL || sink == NULL || BIO_push(bio, sink) == NULL) {
        BIO_free(sink);
        return false;
    }
    if (md == NULL || BIO_set_md(bio, md) <= 0)
        return false;
    if (content.len > 0 &&
        !BIO_write_ex(bio, content.at, content.len, &written))
        return false;
    /* compares the messageDigest attribute, then verifies the attributes */
    return PKCS7_signatureVerify(bio, p7, info, cert) == 1;
}

static int
read_data(const void *data, size_t len, const struct signed_form *form,
          const struct anchors *anchors, struct signed_data *ret,
          struct v2v_error *err)
{
    V2V_AUTO(signed) struct signed_data s = { 0 };
    PKCS7_SIGNER_INFO *info;
    X509 *cert;

    if (parse(data, len, form, &s.p7, err) < 0 ||
        find_signer(s.p7, &info, &cert, err) < 0 ||
        check_fields(s.p7, info, cert, err) < 0 ||
        chain_check_all(s.p7->d.sign->cert, anchors, err) < 0 ||
        check_content_type(info, form, err) < 0 ||
        find_content(s.p7, form, &s.content, err) < 0 ||
        read_hash(info, &s.signer.hash, err) < 0)
        return -1;
    if (!signed_verify(s.p7, info, cert, s.content))
        return fail_crypto(err, "the signature does not verify");
    if (chain_read(s.p7, cert, anchors, &s.signer, err) < 0 ||
        stamp_read(s.p7, info, anchors, &s.signer.stamp, err) < 0)
        return -1;
    *ret = s;
    s = (struct signed_data){ 0 };
    return 0;
}

int
signed_read(const void *data, size_t len, const struct signed_form *form,
            const struct anchors *anchors, struct signed_data *ret,
            struct v2v_error *err)
{
    int result;

    /* the queue is the thread's: leave nothing of ours to others */
    ERR_clear_error();
    result = read_data(data, len, form, anchors, ret, err);
    ERR_clear_error();
    return result;
}
