/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <string.h>

#include "catalog/signed.h"

/* Microsoft, "Time Stamping Authenticode Signatures": an RFC 3161 token among
 * the attributes that are not signed */
static const char oid_token[] = "1.3.6.1.4.1.311.3.3.1";
static const char oid_time_stamping[] = "1.3.6.1.5.5.7.3.8"; /* RFC 5280 */

V2V_AUTO_DEFINE(cms, CMS_ContentInfo *, CMS_ContentInfo_free)
V2V_AUTO_DEFINE(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
V2V_AUTO_DEFINE(info, PKCS7_SIGNER_INFO *, PKCS7_SIGNER_INFO_free)
V2V_AUTO_DEFINE(tst, TS_TST_INFO *, TS_TST_INFO_free)

static const ASN1_TYPE *
find_attribute(const PKCS7_SIGNER_INFO *info, const char *oid)
{
    for (int i = 0; i < sk_X509_ATTRIBUTE_num(info->unauth_attr); i++) {
        X509_ATTRIBUTE *a = sk_X509_ATTRIBUTE_value(info->unauth_attr, i);

        if (signed_is_oid(X509_ATTRIBUTE_get0_object(a), oid))
            return X509_ATTRIBUTE_get0_type(a, 0);
    }
    return NULL;
}

static struct der
signature_of(const PKCS7_SIGNER_INFO *info)
{
    return (struct der){ ASN1_STRING_get0_data(info->enc_digest),
                         (size_t)ASN1_STRING_length(info->enc_digest) };
}

/* The certificate may stamp, and could when it did; else @stamp has no name. */
static int
accept(X509 *cert, int64_t time, struct catalog_stamp *stamp,
       struct v2v_error *err)
{
    int64_t from, until;

    if (!chain_has_usage(cert, oid_time_stamping) ||
        !chain_time(X509_get0_notBefore(cert), &from) ||
        !chain_time(X509_get0_notAfter(cert), &until) || time < from ||
        time > until)
        return 0;
    stamp->name = chain_name(X509_get_subject_name(cert), err);
    if (stamp->name == NULL)
        return -1;
    stamp->time = time;
    return 0;
}

static bool
is_digest_of(const ASN1_OCTET_STRING *string, const EVP_MD *md, struct der of)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;

    return EVP_Digest(of.at, of.len, digest, &len, md, NULL) == 1 &&
           (unsigned)ASN1_STRING_length(string) == len &&
           memcmp(ASN1_STRING_get0_data(string), digest, len) == 0;
}

/* The messageDigest attribute is the SHA-1 of @content. */
static bool
has_sha1_of(const PKCS7_SIGNER_INFO *info, struct der content)
{
    const ASN1_OCTET_STRING *attribute = PKCS7_digest_from_attributes(
        (STACK_OF(X509_ATTRIBUTE) *)info->auth_attr);

    return attribute != NULL && is_digest_of(attribute, EVP_sha1(), content);
}

/* The stamps of VeriSign and Symantec (virtio-win's drivers for XP to Vista)
 * are over the bare SHA-1, not over a DigestInfo as PKCS#1 has it. */
static bool
verify_bare_sha1(const PKCS7_SIGNER_INFO *info, X509 *cert, struct der content)
{
    struct der signature = signature_of(info);
    V2V_AUTO(pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(X509_get0_pubkey(cert), NULL);
    unsigned char digest[EVP_MAX_MD_SIZE], *attributes = NULL;
    bool verified = false;
    unsigned digest_len;
    int len;

    if (ctx == NULL || !has_sha1_of(info, content))
        return false;
    len = ASN1_item_i2d((const ASN1_VALUE *)info->auth_attr, &attributes,
                        ASN1_ITEM_rptr(PKCS7_ATTR_VERIFY));
    if (len > 0 && EVP_Digest(attributes, (size_t)len, digest, &digest_len,
                              EVP_sha1(), NULL) == 1)
        verified = EVP_PKEY_verify_init(ctx) == 1 &&
                   EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
                   EVP_PKEY_verify(ctx, signature.at, signature.len, digest,
                                   digest_len) == 1;
    OPENSSL_free(attributes);
    return verified;
}

/* PKCS#9: the attribute is one more signer, of the signature's bytes. */
static int
read_counter_signature(PKCS7 *p7, const PKCS7_SIGNER_INFO *info,
                       const ASN1_TYPE *value, struct catalog_stamp *stamp,
                       struct v2v_error *err)
{
    V2V_AUTO(info) PKCS7_SIGNER_INFO *counter = NULL;
    const ASN1_TYPE *signed_at;
    const unsigned char *p;
    int64_t time;
    X509 *cert;

    if (value->type != V_ASN1_SEQUENCE)
        return 0;
    p = ASN1_STRING_get0_data(value->value.sequence);
    counter = d2i_PKCS7_SIGNER_INFO(NULL, &p,
                                    ASN1_STRING_length(value->value.sequence));
    cert = counter != NULL ? PKCS7_cert_from_signer_info(p7, counter) : NULL;
    if (cert == NULL || !signed_fits(counter, cert) ||
        (!signed_verify(p7, counter, cert, signature_of(info)) &&
         !verify_bare_sha1(counter, cert, signature_of(info))))
        return 0;
    signed_at = PKCS7_get_signed_attribute(counter, NID_pkcs9_signingTime);
    if (signed_at == NULL ||
        (signed_at->type != V_ASN1_UTCTIME &&
         signed_at->type != V_ASN1_GENERALIZEDTIME) ||
        !chain_time(signed_at->value.utctime, &time))
        return 0;
    return accept(cert, time, stamp, err);
}

static bool
is_imprint_of(TS_TST_INFO *tst, struct der signature)
{
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(tst);
    const X509_ALGOR *algorithm = TS_MSG_IMPRINT_get_algo(imprint);
    const ASN1_OCTET_STRING *expected = TS_MSG_IMPRINT_get_msg(imprint);
    const EVP_MD *md = EVP_get_digestbyobj(algorithm->algorithm);

    return md != NULL && is_digest_of(expected, md, signature);
}

/* libcrypto's PKCS7 and TS know no attribute certificates, which Microsoft's
 * tokens hold; its CMS does. */
static CMS_ContentInfo *
parse_token(const ASN1_TYPE *value)
{
    const unsigned char *p;

    if (value->type != V_ASN1_SEQUENCE)
        return NULL;
    p = ASN1_STRING_get0_data(value->value.sequence);
    return d2i_CMS_ContentInfo(NULL, &p,
                               ASN1_STRING_length(value->value.sequence));
}

static TS_TST_INFO *
parse_tst_info(const CMS_ContentInfo *token)
{
    ASN1_OCTET_STRING **content = CMS_get0_content((CMS_ContentInfo *)token);
    const unsigned char *p;

    if (OBJ_obj2nid(CMS_get0_eContentType((CMS_ContentInfo *)token)) !=
            NID_id_smime_ct_TSTInfo ||
        content == NULL || *content == NULL)
        return NULL;
    p = ASN1_STRING_get0_data(*content);
    return d2i_TS_TST_INFO(NULL, &p, ASN1_STRING_length(*content));
}

/* RFC 3161: a document of its own that has the signature's hash. */
static int
read_token(const PKCS7_SIGNER_INFO *info, const ASN1_TYPE *value,
           const struct anchors *anchors, struct catalog_stamp *stamp,
           struct v2v_error *err)
{
    V2V_AUTO(cms) CMS_ContentInfo *token = parse_token(value);
    V2V_AUTO(tst)
    TS_TST_INFO *tst = token != NULL ? parse_tst_info(token) : NULL;
    V2V_AUTO(certs) STACK_OF(X509) *certs = NULL;
    STACK_OF(X509) * signers;
    int result = 0;
    int64_t time;

    if (tst == NULL || !is_imprint_of(tst, signature_of(info)) ||
        !chain_time(TS_TST_INFO_get_time(tst), &time))
        return 0;
    certs = CMS_get1_certs(token);
    if (chain_check_all(certs, anchors, err) < 0)
        return v2v_fail_in(err, "its time stamp");
    if (CMS_verify(token, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY) !=
        1)
        return 0;
    signers = CMS_get0_signers(token);
    if (sk_X509_num(signers) == 1)
        result = accept(sk_X509_value(signers, 0), time, stamp, err);
    sk_X509_free(signers);
    return result;
}

/* A stamp that does not verify spoils the signature, as for Windows
 * (winerror.h, TRUST_E_TIME_STAMP). */
int
stamp_read(PKCS7 *p7, PKCS7_SIGNER_INFO *info, const struct anchors *anchors,
           struct catalog_stamp *stamp, struct v2v_error *err)
{
    const ASN1_TYPE *token = find_attribute(info, oid_token);
    const ASN1_TYPE *counter =
        PKCS7_get_attribute(info, NID_pkcs9_countersignature);

    if (token != NULL && read_token(info, token, anchors, stamp, err) < 0)
        return -1;
    if (token == NULL && counter != NULL &&
        read_counter_signature(p7, info, counter, stamp, err) < 0)
        return -1;
    stamp->present = stamp->name != NULL;
    if (!stamp->present && (token != NULL || counter != NULL))
        return v2v_fail(err, V2V_ERR_FORMAT, "its time stamp does not verify");
    return 0;
}
