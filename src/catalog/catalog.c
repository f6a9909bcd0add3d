/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/catalog.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

#include "catalog/member.h"
#include "catalog/signed.h"

/* wintrust.h, szOID_CTL */
static const struct signed_form catalog_form = {
    .oid = "1.3.6.1.4.1.311.10.1",
    .what = "a catalog",
    .content = "certificate trust list",
};
/* mscat.h, CAT_NAMEVALUE_OBJID */
static const char oid_name_value[] = "1.3.6.1.4.1.311.12.2.1";

/* HWID1 ... of virtio-win's catalogs: up to 12. */
enum { max_texts = 4096 };

/* One attribute of an entry or of the whole list. */
struct name_value {
    char *name, *value; /* UTF-8 */
};

static inline void
v2v_auto_name_value(struct name_value *nv)
{
    free(nv->name);
    free(nv->value);
}

static inline void
v2v_auto_member(struct catalog_member *member)
{
    free(member->file);
}

void
catalog_done(struct catalog *cat)
{
    catalog_signer_done(&cat->signer);
    for (size_t i = 0; i < cat->member_count; i++)
        free(cat->members[i].file);
    free(cat->members);
    v2v_strings_done(&cat->os);
    v2v_strings_done(&cat->os_attr);
    v2v_strings_done(&cat->hardware_ids);
    *cat = (struct catalog){ 0 };
}

static int
fail_list(struct v2v_error *err, const char *what)
{
    return v2v_fail(err, V2V_ERR_FORMAT, "not a catalog: bad encoding of %s",
                    what);
}

/* BMPString: UTF-16, big endian */
static char *
utf8_from_bmp(struct der bmp, struct v2v_error *err)
{
    V2V_AUTO(mem) unsigned char *little = malloc(bmp.len + 1);

    if (little == NULL) {
        v2v_error_set_errno(err, errno, "catalog text");
        return NULL;
    }
    for (size_t i = 0; i + 1 < bmp.len; i += 2) {
        little[i] = bmp.at[i + 1];
        little[i + 1] = bmp.at[i];
    }
    return v2v_utf8_from_utf16(little, bmp.len & ~(size_t)1, err);
}

/* CatNameValue: SEQUENCE { BMPString, INTEGER flags, OCTET STRING UTF-16LE } */
static int
read_name_value(struct der from, struct name_value *ret, struct v2v_error *err)
{
    struct der content, name, flags, value;

    if (!der_take(&from, V_ASN1_SEQUENCE, &content) ||
        !der_take(&content, V_ASN1_BMPSTRING, &name) ||
        !der_take(&content, V_ASN1_INTEGER, &flags) ||
        !der_take(&content, V_ASN1_OCTET_STRING, &value))
        return fail_list(err, "an attribute's text");
    ret->name = utf8_from_bmp(name, err);
    if (ret->name == NULL)
        return -1;
    ret->value = v2v_utf8_from_utf16(value.at, value.len, err);
    return ret->value != NULL ? 0 : -1;
}

static int
add_text(struct v2v_strings *list, const char *text, struct v2v_error *err)
{
    if (*text == '\0' || v2v_strings_has_nocase(list, text))
        return 0;
    if (list->count == max_texts)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d attributes",
                        max_texts);
    return v2v_strings_add(list, text, err);
}

static int
add_split(struct v2v_strings *list, char *text, struct v2v_error *err)
{
    char *state = NULL;

    for (char *part = strtok_r(text, ",", &state); part != NULL;
         part = strtok_r(NULL, ",", &state)) {
        if (add_text(list, part, err) < 0)
            return -1;
    }
    return 0;
}

/* An attribute of the whole list; others than these are of no use here. */
static int
keep_attribute(struct catalog *cat, struct name_value *nv,
               struct v2v_error *err)
{
    if (v2v_equal_nocase(nv->name, "OS"))
        return add_split(&cat->os, nv->value, err);
    if (v2v_equal_nocase(nv->name, "OSAttr"))
        return add_split(&cat->os_attr, nv->value, err);
    if (v2v_has_prefix_nocase(nv->name, "HWID"))
        return add_text(&cat->hardware_ids, nv->value, err);
    return 0;
}

/* ---- one entry: its tag, and a SET of attributes */

/* The tag of an old entry is its hash as text: UTF-16LE, upper-case hex, NUL.
 * Of a new one it is the hash itself. */
static bool
read_tag(struct der tag, struct catalog_digest *ret)
{
    uint8_t bytes[CATALOG_MAX_DIGEST];
    V2V_AUTO(mem) char *text = NULL;
    long len = 0;
    unsigned char *raw;
    bool found;

    if (member_read_digest(tag, ret))
        return true;
    /* 40 or 64 digits and a NUL */
    if (tag.len != 82 && tag.len != 130)
        return false;
    text = v2v_utf8_from_utf16(tag.at, tag.len, NULL);
    raw = text != NULL ? OPENSSL_hexstr2buf(text, &len) : NULL;
    found = raw != NULL && len <= CATALOG_MAX_DIGEST;
    if (found) {
        memcpy(bytes, raw, (size_t)len);
        found = member_read_digest((struct der){ bytes, (size_t)len }, ret);
    }
    OPENSSL_free(raw);
    return found;
}

/* How an entry's hash is found, the first that there is: its
 * SpcIndirectDataContent, its tag. */
struct entry {
    struct catalog_member member;
    bool has_digest;
    bool unknown_hash;
};

static int
read_indirect(struct der value, struct entry *entry, struct v2v_error *err)
{
    struct der content;
    int result = -1;

    if (der_take(&value, V_ASN1_SEQUENCE, &content))
        result = member_read_indirect(content, &entry->member.digest);
    if (result < 0)
        return fail_list(err, "an entry's hash");
    entry->has_digest = result == 0;
    entry->unknown_hash = result == 1;
    return 0;
}

static int
read_member_text(struct catalog *cat, struct der value, struct entry *entry,
                 struct v2v_error *err)
{
    V2V_AUTO(name_value) struct name_value nv = { 0 };

    if (read_name_value(value, &nv, err) < 0)
        return -1;
    if (v2v_equal_nocase(nv.name, "OSAttr"))
        return add_split(&cat->os_attr, nv.value, err);
    if (v2v_equal_nocase(nv.name, "File")) {
        free(entry->member.file);
        entry->member.file = v2v_steal(nv.value);
    }
    return 0;
}

/* Attribute: SEQUENCE { OID, SET { value } } */
static int
read_member_attribute(struct catalog *cat, struct der attribute,
                      struct entry *entry, struct v2v_error *err)
{
    char oid[DER_MAX_OID];
    struct der value;

    if (!der_take_oid(&attribute, oid) ||
        !der_take(&attribute, V_ASN1_SET, &value))
        return fail_list(err, "an entry's attribute");
    if (strcmp(oid, OID_INDIRECT_DATA) == 0)
        return read_indirect(value, entry, err);
    if (strcmp(oid, oid_name_value) == 0)
        return read_member_text(cat, value, entry, err);
    return 0;
}

static int
add_member(struct catalog *cat, struct catalog_member *member,
           struct v2v_error *err)
{
    /* doubles at each power of two */
    if ((cat->member_count & (cat->member_count - 1)) == 0) {
        size_t cap = cat->member_count == 0 ? 1 : 2 * cat->member_count;
        struct catalog_member *grown =
            realloc(cat->members, cap * sizeof *grown);

        if (grown == NULL)
            return v2v_fail_errno(err, errno, "catalog entries");
        cat->members = grown;
    }
    cat->members[cat->member_count++] = *member;
    member->file = NULL; /* handed over */
    return 0;
}

/* TrustedSubject: SEQUENCE { OCTET STRING tag, SET OF Attribute } */
static int
read_member(struct catalog *cat, struct der subject, struct v2v_error *err)
{
    struct entry entry = { 0 };
    V2V_AUTO(member) struct catalog_member member = { 0 };
    struct der tag, attributes = { 0 }, attribute;

    if (!der_take(&subject, V_ASN1_OCTET_STRING, &tag))
        return fail_list(err, "an entry");
    if (subject.len > 0 && !der_take(&subject, V_ASN1_SET, &attributes))
        return fail_list(err, "an entry's attributes");
    while (attributes.len > 0) {
        int result = -1;

        if (der_take(&attributes, V_ASN1_SEQUENCE, &attribute))
            result = read_member_attribute(cat, attribute, &entry, err);
        else
            fail_list(err, "an entry's attributes");
        member.file = entry.member.file; /* freed in any case */
        if (result < 0)
            return -1;
    }
    /* an entry whose hash nothing here can compute lists no file */
    if (entry.unknown_hash ||
        (!entry.has_digest && !read_tag(tag, &entry.member.digest)))
        return 0;
    member = entry.member;
    return add_member(cat, &member, err);
}

static int
read_members(struct catalog *cat, struct der members, struct v2v_error *err)
{
    for (size_t i = 0; members.len > 0; i++) {
        struct der member;

        if (i == CATALOG_MAX_MEMBERS)
            return v2v_fail(err, V2V_ERR_FORMAT, "more than %d entries",
                            CATALOG_MAX_MEMBERS);
        if (!der_take(&members, V_ASN1_SEQUENCE, &member))
            return fail_list(err, "its entries");
        if (read_member(cat, member, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- the whole list */

/* Extension (RFC 5280): SEQUENCE { OID, [BOOLEAN], OCTET STRING } */
static int
read_extension(struct catalog *cat, struct der extension, struct v2v_error *err)
{
    V2V_AUTO(name_value) struct name_value nv = { 0 };
    char oid[DER_MAX_OID];
    struct der value, critical;

    if (!der_take_oid(&extension, oid))
        return fail_list(err, "its attributes");
    der_take(&extension, V_ASN1_BOOLEAN, &critical);
    if (!der_take(&extension, V_ASN1_OCTET_STRING, &value))
        return fail_list(err, "its attributes");
    if (strcmp(oid, oid_name_value) != 0)
        return 0;
    if (read_name_value(value, &nv, err) < 0)
        return -1;
    return keep_attribute(cat, &nv, err);
}

/* [0] { SEQUENCE OF Extension } */
static int
read_extensions(struct catalog *cat, struct der extensions,
                struct v2v_error *err)
{
    struct der list, extension;

    if (!der_take(&extensions, V_ASN1_SEQUENCE, &list))
        return fail_list(err, "its attributes");
    while (list.len > 0) {
        if (!der_take(&list, V_ASN1_SEQUENCE, &extension))
            return fail_list(err, "its attributes");
        if (read_extension(cat, extension, err) < 0)
            return -1;
    }
    return 0;
}

static bool
take_time(struct der *from)
{
    struct der time;

    return der_take(from, V_ASN1_UTCTIME, &time) ||
           der_take(from, V_ASN1_GENERALIZEDTIME, &time);
}

/* CertificateTrustList ([MS-CAESO]; wincrypt.h, CTL_INFO): version DEFAULT v1,
 * usage, listIdentifier OPTIONAL, sequenceNumber OPTIONAL, thisUpdate,
 * nextUpdate OPTIONAL, subjectAlgorithm, trustedSubjects OPTIONAL,
 * [0] extensions OPTIONAL */
static int
read_list(struct catalog *cat, struct der list, struct v2v_error *err)
{
    struct der usage, identifier, number, algorithm, members;
    struct der_element extensions;

    der_take(&list, V_ASN1_INTEGER, &number);
    if (!der_take(&list, V_ASN1_SEQUENCE, &usage))
        return fail_list(err, "its usage");
    der_take(&list, V_ASN1_OCTET_STRING, &identifier);
    der_take(&list, V_ASN1_INTEGER, &number);
    if (!take_time(&list))
        return fail_list(err, "its date");
    take_time(&list);
    if (!der_take(&list, V_ASN1_SEQUENCE, &algorithm))
        return fail_list(err, "its algorithm");
    if (der_take(&list, V_ASN1_SEQUENCE, &members) &&
        read_members(cat, members, err) < 0)
        return -1;
    if (list.len == 0)
        return 0;
    if (!der_next(&list, &extensions) || list.len != 0 ||
        extensions.class != V_ASN1_CONTEXT_SPECIFIC || extensions.tag != 0)
        return fail_list(err, "its end");
    return read_extensions(cat, extensions.content, err);
}

int
catalog_parse_with(const void *data, size_t len, const struct anchors *anchors,
                   struct catalog *ret, struct v2v_error *err)
{
    V2V_AUTO(signed) struct signed_data s = { 0 };
    V2V_AUTO(catalog) struct catalog cat = { 0 };
    int result;

    if (signed_read(data, len, &catalog_form, anchors, &s, err) < 0)
        return -1;
    result = read_list(&cat, s.content, err);
    ERR_clear_error();
    if (result < 0)
        return -1;
    cat.signer = s.signer;
    s.signer = (struct catalog_signer){ 0 };
    *ret = cat;
    cat = (struct catalog){ 0 };
    return 0;
}

int
catalog_parse(const void *data, size_t len, struct catalog *ret,
              struct v2v_error *err)
{
    return catalog_parse_with(data, len, &anchors_pinned, ret, err);
}

const char *
catalog_signer_kind_text(enum catalog_signer_kind kind)
{
    static const char *const texts[] = {
        [CATALOG_SIGNER_UNKNOWN] = "unknown issuer",
        [CATALOG_SIGNER_SELF_SIGNED] = "self-signed, a test certificate",
        [CATALOG_SIGNER_CROSS_SIGNED] = "vendor, cross-signed by Microsoft",
        [CATALOG_SIGNER_MICROSOFT] = "Microsoft",
        [CATALOG_SIGNER_ATTESTATION] = "Microsoft, attestation",
        [CATALOG_SIGNER_WHQL] = "Microsoft, hardware compatibility (WHQL)",
    };

    return texts[kind];
}
