/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/signed.h - inside catalog/: PKCS#7 signed data, its signer's chain
 * and time stamp
 */
#ifndef V2V_CATALOG_SIGNED_H
#define V2V_CATALOG_SIGNED_H

#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "catalog/anchors.h"
#include "catalog/catalog.h"
#include "catalog/der.h"

/* What signed data is expected to hold. */
struct signed_form {
    const char *oid;
    const char *what;    /* "a catalog", for messages */
    const char *content; /* "certificate trust list" */
};

struct signed_data {
    PKCS7 *p7;
    struct der content; /* inside @p7: content octets of what is signed */
    struct catalog_signer signer;
};

void signed_done(struct signed_data *s);

static inline void
v2v_auto_signed(struct signed_data *s)
{
    signed_done(s);
}

/**
 * signed_read() - parse, verify, and find out who signed
 * @data: exactly one DER element
 * @ret:  written only on success; signed_done()
 * -1 with V2V_ERR_FORMAT as catalog_parse().  Leaves libcrypto's queue empty.
 */
int signed_read(const void *data, size_t len, const struct signed_form *form,
                const struct anchors *anchors, struct signed_data *ret,
                struct v2v_error *err);

/* ---- among the files of signed data */

/* @oid: "1.2.840..." */
bool signed_is_oid(const ASN1_OBJECT *object, const char *oid);

static inline void
v2v_auto_certs(STACK_OF(X509) * *certs)
{
    sk_X509_pop_free(*certs, X509_free);
}

/* Does @info's signature, made by @cert's key, cover @content?  On failure
 * libcrypto's queue says why. */
bool signed_verify(PKCS7 *p7, PKCS7_SIGNER_INFO *info, X509 *cert,
                   struct der content);

/* Do the fields of @info that no signature covers fit what it does cover and
 * the certificate?  RFC 2315, 9.2: the version is 1. */
bool signed_fits(const PKCS7_SIGNER_INFO *info, X509 *cert);

/* The chain above @cert, and what kind of signer that makes @cert. */
int chain_read(const PKCS7 *p7, X509 *cert, const struct anchors *anchors,
               struct catalog_signer *signer, struct v2v_error *err);

/* Each certificate whose issuer's name is that of another one or of an anchor
 * was issued by that key; V2V_ERR_FORMAT when not, or when there are too many.
 * So no byte of a certificate can change, whatever it is there for, unless its
 * issuer is unknown. */
int chain_check_all(const STACK_OF(X509) * certs, const struct anchors *anchors,
                    struct v2v_error *err);

bool chain_has_usage(X509 *cert, const char *oid);

/* Common name, or whole subject; new, or NULL and @err. */
char *chain_name(const X509_NAME *name, struct v2v_error *err);

/* Seconds since 1970; false when it is no time. */
bool chain_time(const ASN1_TIME *time, int64_t *ret);

/* The time stamp of @info, if any; V2V_ERR_FORMAT when it does not verify. */
int stamp_read(PKCS7 *p7, PKCS7_SIGNER_INFO *info,
               const struct anchors *anchors, struct catalog_stamp *stamp,
               struct v2v_error *err);

#endif
