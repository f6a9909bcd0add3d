/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/catalog.h - a security catalog (.cat): who signed it, for which
 * Windows, and whether the files beside it are those it lists
 *
 * A catalog is a PKCS#7 SignedData around a certificate trust list (CTL),
 * whose entries are the hashes of files.
 *
 * catalog_parse() checks: the encoding; that there is one signer whose
 * certificate is in the catalog; that the messageDigest attribute is the
 * digest of the CTL and the contentType attribute names a CTL; that the
 * signature over the attributes is by that certificate's key; that a time stamp
 * verifies; that the fields that no signature covers fit those that one does.
 * What can change unnoticed: unsigned attributes other than the time stamp, in
 * a time stamp's own envelope what no signature covers, and certificates whose
 * issuer is not at hand, as Thawte's above VeriSign's time stamps.
 *
 * Trust comes from a small table of public keys (anchors.h),
 * never from names and never from the network.  Revocation is not looked at.
 * What Windows makes of it is catalog/judge.h's question.
 */
#ifndef V2V_CATALOG_CATALOG_H
#define V2V_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

enum {
    /* A catalog of virtio-win has some 30 kB and up to 20 entries, Windows'
     * own largest some MB and 10^4. */
    CATALOG_MAX_SIZE = 16 << 20, /* bytes */
    CATALOG_MAX_MEMBERS = 65536,
    CATALOG_MAX_DIGEST = 32 /* bytes */
};

enum catalog_hash { CATALOG_SHA1, CATALOG_SHA256 };

struct catalog_digest {
    enum catalog_hash hash;
    size_t len; /* bytes: 20 or 32 */
    uint8_t bytes[CATALOG_MAX_DIGEST];
};

/* Who vouches for a signature.  WHQL and ATTESTATION: the chain in the file
 * reaches an anchor of Microsoft's own, and the signing certificate has
 * extended key usage 1.3.6.1.4.1.311.10.3.5 alone, or ...10.3.5.1, which is
 * looked for first since attestation certificates carry both (Microsoft,
 * "Validate attestation signed driver").  CROSS_SIGNED: the chain reaches
 * "Microsoft Code Verification Root".  UNKNOWN: it ends somewhere else,
 * whatever its names say. */
enum catalog_signer_kind {
    CATALOG_SIGNER_UNKNOWN,
    CATALOG_SIGNER_SELF_SIGNED,
    CATALOG_SIGNER_CROSS_SIGNED,
    CATALOG_SIGNER_MICROSOFT, /* of its own, neither of the next two */
    CATALOG_SIGNER_ATTESTATION,
    CATALOG_SIGNER_WHQL
};

/* A time stamp: somebody's word for when the signature was there.  It is over
 * this signature, by a certificate that is in the file, meant for time stamps,
 * and valid at @time.  Who issued that certificate is not looked at. */
struct catalog_stamp {
    bool present;
    int64_t time; /* seconds since 1970 */
    char *name;   /* UTF-8: of the stamp's signer; NULL when not @present */
};

/* A certificate of the chain. */
struct catalog_certificate {
    char *name;       /* UTF-8: common name, or the whole subject */
    uint8_t sha1[20]; /* of the DER: Windows' "thumbprint" */
    struct v2v_bytes der;
};

struct catalog_signer {
    enum catalog_signer_kind kind;
    char *name;         /* UTF-8: the common name of the signing certificate's
                         * subject, or its whole subject when it has none */
    char *issuer;       /* the same of its issuer */
    const char *anchor; /* where the chain was found to end (static), or NULL */
    int64_t not_before, not_after; /* of the signing certificate: seconds since
                                    * 1970 */
    enum catalog_hash hash;        /* that the signature is made over */
    struct catalog_stamp stamp;
    struct catalog_certificate *chain; /* [0] signed; [i + 1] issued [i] */
    size_t chain_count;
};

/* One entry: a file by its hash. */
struct catalog_member {
    struct catalog_digest digest;
    char *file; /* UTF-8: attribute "File", a name without directory; or NULL */
};

struct catalog {
    struct catalog_signer signer;
    struct catalog_member *members;
    size_t member_count;
    struct v2v_strings os;      /* attribute "OS", split at its commas:
                                 * "7X64", "_v100_X64_22H2" */
    struct v2v_strings os_attr; /* "OSAttr" of entries and catalog, split, each
                                 * once: "2:6.1", "2:10.0" */
    struct v2v_strings hardware_ids; /* "HWID1" ..., as written, mostly in
                                      * lower case */
};

/**
 * catalog_parse() - read a catalog and verify its signature
 * @data: the file, DER
 * @ret:  written only on success; catalog_done() frees what it holds
 *
 * Sources: RFC 2315 (PKCS#7); Microsoft, "CTL_INFO structure" and "Windows
 * Authenticode Portable Executable Signature Format"; mscat.h for the
 * attributes; the form of entries as in virtio-win's catalogs.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT for anything malformed, a signature
 * that does not verify, or more than one of the limits above.
 */
int catalog_parse(const void *data, size_t len, struct catalog *ret,
                  struct v2v_error *err);

/* Leaves @cat empty; an empty one is accepted. */
void catalog_done(struct catalog *cat);

static inline void
v2v_auto_catalog(struct catalog *cat)
{
    catalog_done(cat);
}

/* Leaves @signer empty; for those of catalog/pe.h. */
void catalog_signer_done(struct catalog_signer *signer);

static inline void
v2v_auto_catalog_signer(struct catalog_signer *signer)
{
    catalog_signer_done(signer);
}

/* "Microsoft, attestation", "cross-signed" ...: static, for reports. */
const char *catalog_signer_kind_text(enum catalog_signer_kind kind);

/**
 * catalog_is_root_of() - does a root of the guest's own store end this chain?
 * @der: a certificate, as in the guest's Root or AuthRoot
 *
 * True when it has the subject and key of a certificate of the chain (which
 * may be there as a cross-certificate), or issued the chain's last one.
 * False as well for bytes that are no certificate.
 */
bool catalog_is_root_of(const struct catalog_signer *signer, const void *der,
                        size_t len);

/* What a catalog says of a file. */
enum catalog_match {
    CATALOG_MATCH,
    CATALOG_MATCH_WITH_CRLF, /* not as it is; with CR LF for each lone LF */
    CATALOG_MATCH_WITH_LF,   /* not as it is; with LF for each CR LF */
    CATALOG_MISMATCH,        /* the catalog has an entry of this name, with
                              * another hash */
    CATALOG_NOT_LISTED
};

struct catalog_file {
    const char *name; /* UTF-8, without directory */
    const void *data;
    size_t len; /* bytes */
};

/**
 * catalog_check_files() - compare files with a catalog's entries
 * @ret: [i] is for files[i]; caller-owned, @count elements
 *
 * As Windows does: by hash, whatever the name; a PE image by its Authenticode
 * hash, all else by the hash of all bytes, under each algorithm that the
 * catalog uses; one equal hash is enough.  Names only tell MISMATCH from
 * NOT_LISTED.  The two line end forms are tried for files that are no PE.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL when memory runs out.
 */
int catalog_check_files(const struct catalog *cat,
                        const struct catalog_file *files, size_t count,
                        enum catalog_match *ret, struct v2v_error *err);

/* A clause to put after the file's name: "is not listed in the catalog",
 * "had its line ends converted from CR LF to LF, which breaks the signature:
 * with CR LF restored the hash is the catalog's" ...: static. */
const char *catalog_match_text(enum catalog_match match);

#endif
