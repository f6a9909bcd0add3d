/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/member.h"

#include <openssl/asn1.h>
#include <string.h>

/* RFC 3279, RFC 4055 */
static const char oid_sha1[] = "1.3.14.3.2.26";
static const char oid_sha256[] = "2.16.840.1.101.3.4.2.1";

enum { sha1_len = 20, sha256_len = 32 };

bool
member_read_digest(struct der raw, struct catalog_digest *ret)
{
    if (raw.len != sha1_len && raw.len != sha256_len)
        return false;
    *ret = (struct catalog_digest){
        .hash = raw.len == sha1_len ? CATALOG_SHA1 : CATALOG_SHA256,
        .len = raw.len,
    };
    memcpy(ret->bytes, raw.at, raw.len);
    return true;
}

/* DigestInfo: SEQUENCE { AlgorithmIdentifier, OCTET STRING } */
static int
read_digest_info(struct der info, struct catalog_digest *ret)
{
    struct catalog_digest digest;
    struct der algorithm, raw;
    char oid[DER_MAX_OID];

    if (!der_take(&info, V_ASN1_SEQUENCE, &algorithm) ||
        !der_take_oid(&algorithm, oid) ||
        !der_take(&info, V_ASN1_OCTET_STRING, &raw))
        return -1;
    if (strcmp(oid, oid_sha1) != 0 && strcmp(oid, oid_sha256) != 0)
        return 1;
    if (!member_read_digest(raw, &digest) ||
        (digest.hash == CATALOG_SHA1) != (strcmp(oid, oid_sha1) == 0))
        return -1;
    *ret = digest;
    return 0;
}

int
member_read_indirect(struct der content, struct catalog_digest *ret)
{
    struct der what, info;

    if (!der_take(&content, V_ASN1_SEQUENCE, &what) ||
        !der_take(&content, V_ASN1_SEQUENCE, &info))
        return -1;
    return read_digest_info(info, ret);
}
