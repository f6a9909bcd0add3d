/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/catalog.h - who signed a security catalog (.cat)
 *
 * A catalog is a PKCS#7 SignedData around a certificate trust list (CTL).
 *
 * What is checked: the encoding; that there is one signer whose certificate
 * is in the catalog; that the messageDigest attribute is the digest of the
 * CTL and the contentType attribute names a CTL; that the signature over the
 * attributes is by that certificate's key.
 *
 * What is not: trust.  No root is known here, so whoever makes certificates
 * with Microsoft's names gets @microsoft set.  Neither validity dates,
 * revocation and time stamps nor key usage are looked at, and whether the
 * members' hashes are those of the files beside the catalog is not either.
 * The result says which signature the guest will see, it does not vouch for
 * the driver.
 */
#ifndef V2V_CATALOG_CATALOG_H
#define V2V_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The largest catalog of a virtio-win ISO has some 30 kB. */
#define CATALOG_MAX_SIZE ((size_t)16 << 20)

struct catalog_signer {
    char *name; /* UTF-8: the common name of the signing certificate's subject,
                 * or its whole subject when it has none */
    bool microsoft; /* see below */
    bool whql;      /* Windows Hardware Quality Labs; see below */
    bool attestation;
};

/**
 * catalog_signer() - read and verify the signature of a catalog
 * @data: the file, DER
 * @ret:  written only on success; catalog_signer_done() frees what it holds
 *
 * @microsoft: the certificates in the catalog are followed from the signing
 * one up; each link's signature is verified.  True when there is at least one
 * issuer in the catalog, and every one of them, and the name of the issuer of
 * the last, says organisation "Microsoft Corporation".  A cross-certificate
 * is not enough: Red Hat's w7 catalogs end at "Microsoft Code Verification
 * Root" by way of DigiCert, and are not Microsoft's.
 *
 * @attestation: the signing certificate has extended key usage
 * 1.3.6.1.4.1.311.10.3.5.1.  @whql: it has 1.3.6.1.4.1.311.10.3.5 and not the
 * other; attestation certificates carry both (Microsoft, "Validate attestation
 * signed driver"; all Microsoft-signed catalogs of virtio-win do).  Both are
 * false when @microsoft is.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT for anything malformed, a signature
 * that does not verify, or more than CATALOG_MAX_SIZE bytes.
 */
int catalog_signer(const void *data, size_t len, struct catalog_signer *ret,
                   struct v2v_error *err);

/* Leaves @s empty; an empty one is accepted. */
void catalog_signer_done(struct catalog_signer *s);

static inline void
v2v_auto_catalog_signer(struct catalog_signer *s)
{
    catalog_signer_done(s);
}

#endif
