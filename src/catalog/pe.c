/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/pe.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "base/bytes.h"
#include "catalog/hash.h"
#include "catalog/member.h"
#include "catalog/signed.h"

/* Microsoft, "PE Format" */
enum {
    dos_new_header = 0x3C, /* e_lfanew */
    dos_size = 0x40,
    coff_section_count = 2,  /* offset from the COFF header */
    coff_optional_size = 16, /* offset from the COFF header */
    coff_size = 20,
    optional_headers_size = 60, /* offsets from the optional header */
    optional_checksum = 64,
    optional_directories_32 = 96,
    optional_directories_64 = 112,
    magic_32 = 0x10B,
    magic_64 = 0x20B,
    directory_certificates = 4,
    directory_size = 8,
    section_size = 40,
    section_raw_size = 16, /* offsets from a section's header */
    section_raw_at = 20,
    certificate_header = 8,
    certificate_pkcs7 = 2 /* WIN_CERT_TYPE_PKCS_SIGNED_DATA */
};

static const struct signed_form image_form = {
    .oid = OID_INDIRECT_DATA,
    .what = "an Authenticode signature",
    .content = "hash of an image",
};

struct image {
    const uint8_t *data;
    size_t len;
    size_t checksum;           /* where the field is */
    size_t certificates_entry; /* where the directory has it; 0: it is short */
    size_t certificates_at, certificates_len; /* 0, 0: none */
};

static bool
is_inside(size_t len, size_t at, size_t wanted)
{
    return at <= len && wanted <= len - at;
}

static uint32_t
u16(const uint8_t *p)
{
    return (uint32_t)v2v_get_le(p, 2);
}

static uint32_t
u32(const uint8_t *p)
{
    return (uint32_t)v2v_get_le(p, 4);
}

bool
catalog_is_pe(const void *data, size_t len)
{
    const uint8_t *d = data;
    size_t at;

    if (len < dos_size || memcmp(d, "MZ", 2) != 0)
        return false;
    at = u32(d + dos_new_header);
    return is_inside(len, at, 4) && memcmp(d + at, "PE\0\0", 4) == 0;
}

static int
fail_outside(struct v2v_error *err, const char *what)
{
    return v2v_fail(err, V2V_ERR_FORMAT, "PE image: its %s is not in the file",
                    what);
}

/* ---- headers */

static int
read_certificates(struct image *image, size_t optional, size_t size,
                  struct v2v_error *err)
{
    const uint8_t *header = image->data + optional;
    size_t directories, entry, at, len;

    if (u16(header) != magic_32 && u16(header) != magic_64)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "PE image: neither PE32 nor PE32+");
    directories = u16(header) == magic_64 ? optional_directories_64
                                          : optional_directories_32;
    if (size < directories)
        return fail_outside(err, "optional header");
    if (u32(header + directories - 4) <= directory_certificates)
        return 0;
    entry = directories + directory_certificates * directory_size;
    if (size < entry + directory_size)
        return fail_outside(err, "data directory");
    image->certificates_entry = optional + entry;
    at = u32(header + entry);
    len = u32(header + entry + 4);
    if (len == 0)
        return 0;
    if (at < optional + size || !is_inside(image->len, at, len))
        return fail_outside(err, "certificate table");
    image->certificates_at = at;
    image->certificates_len = len;
    return 0;
}

/* Where headers and sections end.  A certificate table before that would leave
 * out of the hash what the loader maps: the document lets it only follow. */
static int
end_of_sections(const struct image *image, size_t coff, size_t optional,
                size_t size, size_t *ret, struct v2v_error *err)
{
    size_t count = u16(image->data + coff + coff_section_count);
    size_t end = u32(image->data + optional + optional_headers_size);
    size_t table = optional + size;

    if (!is_inside(image->len, table, count * section_size))
        return fail_outside(err, "section table");
    if (end < table + count * section_size)
        end = table + count * section_size;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *section = image->data + table + i * section_size;
        size_t raw_size = u32(section + section_raw_size);
        size_t raw_end = u32(section + section_raw_at) + raw_size;

        if (raw_size > 0 && raw_end > end)
            end = raw_end;
    }
    *ret = end;
    return 0;
}

static int
check_certificates(const struct image *image, size_t sections_end,
                   struct v2v_error *err)
{
    size_t end = image->certificates_at + image->certificates_len;

    if (image->certificates_len == 0)
        return 0;
    if (image->certificates_at < sections_end || image->len - end >= 8)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "PE image: its certificate table is not at its end");
    return 0;
}

static int
read_image(const void *data, size_t len, struct image *ret,
           struct v2v_error *err)
{
    struct image image = { .data = data, .len = len };
    size_t coff, optional, size, sections_end;

    if (!catalog_is_pe(data, len))
        return v2v_fail(err, V2V_ERR_FORMAT, "not a PE image");
    coff = u32(image.data + dos_new_header) + (size_t)4;
    if (!is_inside(len, coff, coff_size))
        return fail_outside(err, "header");
    optional = coff + coff_size;
    size = u16(image.data + coff + coff_optional_size);
    if (size < optional_checksum + 4 || !is_inside(len, optional, size))
        return fail_outside(err, "optional header");
    image.checksum = optional + optional_checksum;
    if (read_certificates(&image, optional, size, err) < 0 ||
        end_of_sections(&image, coff, optional, size, &sections_end, err) < 0 ||
        check_certificates(&image, sections_end, err) < 0)
        return -1;
    *ret = image;
    return 0;
}

/* ---- the hash */

/* A run of the file. */
struct hole {
    size_t at, len;
};

/* The document hashes headers, then sections by their place, then the rest:
 * all bytes in order, since linkers leave no gap and no overlap. */
int
catalog_pe_hash(const void *data, size_t len, enum catalog_hash hash,
                struct catalog_digest *ret, struct v2v_error *err)
{
    struct image image;

    if (read_image(data, len, &image, err) < 0)
        return -1;

    const struct hole holes[] = {
        { image.checksum, 4 },
        { image.certificates_entry, directory_size },
        { image.certificates_at, image.certificates_len },
        { len, 0 },
    };
    struct catalog_piece pieces[sizeof holes / sizeof *holes];
    size_t count = 0, at = 0;

    for (size_t i = 0; i < sizeof holes / sizeof *holes; i++) {
        if (holes[i].at < at)
            continue; /* there is none: 0 */
        pieces[count++] =
            (struct catalog_piece){ image.data + at, holes[i].at - at };
        at = holes[i].at + holes[i].len;
    }
    return hash_pieces(pieces, count, hash, ret, err);
}

/* ---- the signature inside */

/* WIN_CERTIFICATE entries: u32 length with this header, u16 revision, u16 type;
 * each starts at a multiple of 8. */
static int
find_signature(const struct image *image, struct der *ret,
               struct v2v_error *err)
{
    size_t at = image->certificates_at, left = image->certificates_len;

    while (left >= certificate_header) {
        const uint8_t *entry = image->data + at;
        size_t len = u32(entry);

        if (len < certificate_header || len > left)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "PE image: bad entry in its certificate table");
        if (u16(entry + 6) == certificate_pkcs7) {
            *ret = (struct der){ entry + certificate_header,
                                 len - certificate_header };
            return 0;
        }
        len = len + 7 < left ? (len + 7) & ~(size_t)7 : left;
        at += len;
        left -= len;
    }
    if (image->certificates_len > 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "PE image: its certificate table has no signature");
    return v2v_fail(err, V2V_ERR_NOT_FOUND, "PE image: no signature in it");
}

/* The hash that is signed is the image's. */
static int
check_image(const void *data, size_t len, struct der content,
            struct v2v_error *err)
{
    struct catalog_digest expected, actual;

    if (member_read_indirect(content, &expected) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "PE image: its signature has no hash of it");
    if (catalog_pe_hash(data, len, expected.hash, &actual, err) < 0)
        return -1;
    if (!hash_equal(&expected, &actual))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "PE image: its signature is over another hash");
    return 0;
}

int
catalog_pe_signer(const void *data, size_t len, struct catalog_signer *ret,
                  struct v2v_error *err)
{
    V2V_AUTO(signed) struct signed_data s = { 0 };
    struct der_element element;
    struct image image;
    struct der table;
    int result;

    if (read_image(data, len, &image, err) < 0 ||
        find_signature(&image, &table, err) < 0)
        return -1;
    ERR_clear_error();
    /* padding may follow */
    if (!der_next(&table, &element) || table.len >= 8) {
        ERR_clear_error();
        return v2v_fail(err, V2V_ERR_FORMAT, "PE image: bad signature");
    }
    if (signed_read(element.whole.at, element.whole.len, &image_form,
                    &anchors_pinned, &s, err) < 0)
        return v2v_fail_in(err, "PE image");
    result = check_image(data, len, s.content, err);
    ERR_clear_error();
    if (result < 0)
        return -1;
    *ret = s.signer;
    s.signer = (struct catalog_signer){ 0 };
    return 0;
}
