/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <openssl/err.h>
#include <string.h>

#include "catalog/hash.h"
#include "catalog/pe.h"

static bool
is_named(const struct catalog_member *member, const char *name)
{
    return member->file != NULL && v2v_equal_nocase(member->file, name);
}

static bool
has_name(const struct catalog *cat, const char *name)
{
    for (size_t i = 0; i < cat->member_count; i++) {
        if (is_named(&cat->members[i], name))
            return true;
    }
    return false;
}

/* Windows goes by the hash alone; but a file that took another's place in the
 * package is not the one that was signed under its name. */
static bool
is_listed(const struct catalog *cat, const char *name,
          const struct catalog_digest *digest)
{
    bool named = has_name(cat, name);

    for (size_t i = 0; i < cat->member_count; i++) {
        if (hash_equal(&cat->members[i].digest, digest) &&
            (!named || is_named(&cat->members[i], name)))
            return true;
    }
    return false;
}

static bool
uses_hash(const struct catalog *cat, enum catalog_hash hash)
{
    for (size_t i = 0; i < cat->member_count; i++) {
        if (cat->members[i].digest.hash == hash)
            return true;
    }
    return false;
}

/* A PE image that is cut short has no Authenticode hash: as any file, then. */
static int
digest_of(const void *data, size_t len, enum catalog_hash hash,
          struct catalog_digest *ret, struct v2v_error *err)
{
    if (catalog_is_pe(data, len) &&
        catalog_pe_hash(data, len, hash, ret, NULL) == 0)
        return 0;
    return hash_pieces(&(struct catalog_piece){ data, len }, 1, hash, ret, err);
}

/* 1: listed; 0: not; -1 */
static int
look_up(const struct catalog *cat, const char *name, const void *data,
        size_t len, struct v2v_error *err)
{
    static const enum catalog_hash hashes[] = { CATALOG_SHA256, CATALOG_SHA1 };

    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        struct catalog_digest digest;

        if (!uses_hash(cat, hashes[i]))
            continue;
        if (digest_of(data, len, hashes[i], &digest, err) < 0)
            return -1;
        if (is_listed(cat, name, &digest))
            return 1;
    }
    return 0;
}

enum line_ends { line_ends_crlf, line_ends_lf };

/* In UTF-16 a line end is as many times wider; the byte order mark says so. */
struct encoding {
    size_t width;
    bool big_endian;
};

static struct encoding
encoding_of(const struct catalog_file *file)
{
    const uint8_t *d = file->data;

    if (file->len >= 2 && d[0] == 0xFF && d[1] == 0xFE)
        return (struct encoding){ 2, false };
    if (file->len >= 2 && d[0] == 0xFE && d[1] == 0xFF)
        return (struct encoding){ 2, true };
    return (struct encoding){ 1, false };
}

static bool
is_char(const struct catalog_file *file, struct encoding e, size_t at, char c)
{
    const uint8_t *d = file->data;

    if (at + e.width > file->len)
        return false;
    if (e.width == 1)
        return d[at] == (uint8_t)c;
    return d[at + !e.big_endian] == 0 && d[at + e.big_endian] == (uint8_t)c;
}

static int
add_char(struct v2v_bytes *out, struct encoding e, char c,
         struct v2v_error *err)
{
    uint8_t bytes[2] = { 0 };

    bytes[e.width == 2 && e.big_endian] = (uint8_t)c;
    return v2v_bytes_add(out, bytes, e.width, err);
}

/* @file with all line ends of one form; a CR alone stays as it is. */
static int
convert(const struct catalog_file *file, enum line_ends wanted,
        struct v2v_bytes *ret, struct v2v_error *err)
{
    struct encoding e = encoding_of(file);
    const uint8_t *d = file->data;

    for (size_t at = 0; at < file->len; at += e.width) {
        size_t width = file->len - at < e.width ? file->len - at : e.width;

        if (is_char(file, e, at, '\r') && is_char(file, e, at + e.width, '\n'))
            continue;
        if (wanted == line_ends_crlf && is_char(file, e, at, '\n') &&
            add_char(ret, e, '\r', err) < 0)
            return -1;
        if (v2v_bytes_add(ret, d + at, width, err) < 0)
            return -1;
    }
    return 0;
}

static int
look_up_converted(const struct catalog *cat, const struct catalog_file *file,
                  enum line_ends wanted, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    if (convert(file, wanted, &text, err) < 0)
        return -1;
    return look_up(cat, file->name, text.data, text.len, err);
}

static int
check_file(const struct catalog *cat, const struct catalog_file *file,
           enum catalog_match *ret, struct v2v_error *err)
{
    static const struct {
        enum line_ends ends;
        enum catalog_match match;
    } forms[] = {
        { line_ends_crlf, CATALOG_MATCH_WITH_CRLF },
        { line_ends_lf, CATALOG_MATCH_WITH_LF },
    };
    int found = look_up(cat, file->name, file->data, file->len, err);

    *ret = CATALOG_MATCH;
    for (size_t i = 0; found == 0 && i < sizeof forms / sizeof *forms &&
                       !catalog_is_pe(file->data, file->len);
         i++) {
        found = look_up_converted(cat, file, forms[i].ends, err);
        *ret = forms[i].match;
    }
    if (found < 0)
        return v2v_fail_in(err, "%s", file->name);
    if (found == 0)
        *ret =
            has_name(cat, file->name) ? CATALOG_MISMATCH : CATALOG_NOT_LISTED;
    return 0;
}

int
catalog_check_files(const struct catalog *cat, const struct catalog_file *files,
                    size_t count, enum catalog_match *ret,
                    struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (check_file(cat, &files[i], &ret[i], err) < 0)
            return -1;
    }
    ERR_clear_error();
    return 0;
}

const char *
catalog_match_text(enum catalog_match match)
{
    static const char *const texts[] = {
        [CATALOG_MATCH] = "is as the catalog lists it",
        [CATALOG_MATCH_WITH_CRLF] =
            "had its line ends converted from CR LF to LF, which breaks the "
            "signature: with CR LF restored its hash is the catalog's",
        [CATALOG_MATCH_WITH_LF] =
            "had its line ends converted from LF to CR LF, which breaks the "
            "signature: with LF restored its hash is the catalog's",
        [CATALOG_MISMATCH] = "is not the file that the catalog lists: its hash "
                             "differs",
        [CATALOG_NOT_LISTED] = "is not listed in the catalog",
    };

    return texts[match];
}
