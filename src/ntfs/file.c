/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "ntfs/internal.h"

/* What is read at once. */
enum { READ_MAX = 1 << 20 };

/* ---- names ---- */

int
name_set(const char *utf8, struct name *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes utf16 = { 0 };

    if (v2v_utf16_from_utf8(utf8, &utf16, err) < 0)
        return v2v_fail(err, V2V_ERR_GUEST, "\"%s\": not UTF-8", utf8);
    if (utf16.len == 0 || utf16.len > sizeof ret->units)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "\"%.40s...\": not a name of 1 to %d characters", utf8,
                        NTFS_MAX_NAME_LEN);
    memcpy(ret->units, utf16.data, utf16.len);
    ret->count = (int)(utf16.len / sizeof *ret->units);
    return 0;
}

/* NTFS sorts names without regard to case first; so both look-ups are right
 * in the same index. */
static u64
look_up(ntfs_inode *dir, const struct name *name, bool any_case)
{
    u64 ref;

    if (any_case)
        NVolClearCaseSensitive(dir->vol);
    ref = ntfs_inode_lookup_by_name(dir, name->units, name->count);
    NVolSetCaseSensitive(dir->vol);
    return ref;
}

int
open_child(struct ntfs_volume *volume, ntfs_inode *dir, const struct name *name,
           bool any_case, ntfs_inode **ret, struct v2v_error *err)
{
    u64 ref = look_up(dir, name, false);

    if (ref == (u64)-1 && errno == ENOENT && any_case)
        ref = look_up(dir, name, true);
    if (ref == (u64)-1 && errno == ENOENT)
        return 0;
    if (ref == (u64)-1)
        return volume_fail(volume, errno, err,
                           "the directory of MFT record %" PRIu64, dir->mft_no);
    *ret = ntfs_inode_open(volume->lib, ref);
    if (*ret == NULL)
        return volume_fail(volume, errno, err, "MFT record %" PRIu64,
                           MREF(ref));
    return 1;
}

static bool
equal(const ntfs_volume *lib, const struct name *a, const struct name *b)
{
    return ntfs_names_are_equal(a->units, (size_t)a->count, b->units,
                                (size_t)b->count, IGNORE_CASE, lib->upcase,
                                lib->upcase_len) != 0;
}

/* Which of the names that a file has in @dir is the one that was asked for?  A
 * short one is the second name of the long one.  The library checks the bounds
 * of what ntfs_attr_lookup() finds. */
static bool
choose_name(const ntfs_volume *lib, const FILE_NAME_ATTR *file,
            const struct name *name, bool *by_short_name, struct name *ret)
{
    struct name own = { .count = file->file_name_length };
    bool named;

    memcpy(own.units, file->file_name, (size_t)own.count * sizeof *own.units);
    named = equal(lib, &own, name);
    if (file->file_name_type == FILE_NAME_DOS) {
        *by_short_name |= named;
        return false;
    }
    if (named || file->file_name_type == FILE_NAME_WIN32)
        *ret = own;
    return named;
}

int
spell(const struct ntfs_volume *volume, ntfs_inode *dir, ntfs_inode *inode,
      const struct name *name, struct name *ret, struct v2v_error *err)
{
    ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(inode, NULL);
    struct name found = *name;
    bool done = false, by_short_name = false;
    int errnum = ENOMEM;

    while (ctx != NULL && !done &&
           (errnum = ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0,
                                      CASE_SENSITIVE, 0, NULL, 0, ctx)) == 0) {
        const FILE_NAME_ATTR *file =
            (const FILE_NAME_ATTR *)((const u8 *)ctx->attr +
                                     le16_to_cpu(ctx->attr->value_offset));

        if (MREF_LE(file->parent_directory) == dir->mft_no)
            done = choose_name(volume->lib, file, name, &by_short_name, &found);
    }
    if (!done && ctx != NULL)
        errnum = errno;
    if (ctx != NULL)
        ntfs_attr_put_search_ctx(ctx);
    if (!done && (errnum != ENOENT || !by_short_name))
        return volume_fail(volume, errnum == ENOENT ? EIO : errnum, err,
                           "MFT record %" PRIu64 ": its name", inode->mft_no);
    *ret = found;
    return 0;
}

/* ---- paths ---- */

static int
check_entered(const ntfs_inode *inode, const char *path, size_t len,
              struct v2v_error *err)
{
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (is_reparse(inode))
        return v2v_fail(err, V2V_ERR_GUEST,
                        "%.*s is a reparse point, which is not followed",
                        (int)len, path);
    if (!is_directory(inode))
        return v2v_fail(err, V2V_ERR_GUEST, "%.*s is not a directory", (int)len,
                        path);
    if (inode->mft_no < FILE_first_user && inode->mft_no != FILE_root)
        return v2v_fail(err, V2V_ERR_GUEST, "%.*s is one of NTFS' own",
                        (int)len, path);
    return 0;
}

/* From @inode, which is replaced, the @len bytes of a name on. */
static int
step(struct ntfs_volume *volume, const char *start, size_t len,
     ntfs_inode **inode, struct v2v_error *err)
{
    V2V_AUTO(mem) char *utf8 = v2v_strndup(start, len, err);
    ntfs_inode *child = NULL;
    struct name name;
    int found;

    if (utf8 == NULL || name_set(utf8, &name, err) < 0)
        return -1;
    found = open_child(volume, *inode, &name, false, &child, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s is absent", utf8);
    ntfs_inode_close(*inode);
    *inode = child;
    return 0;
}

/* The first @len bytes of @path. */
static int
walk(struct ntfs_volume *volume, const char *path, size_t len, ntfs_inode **ret,
     struct v2v_error *err)
{
    V2V_AUTO(inode)
    ntfs_inode *inode = ntfs_inode_open(volume->lib, FILE_root);
    size_t at = 0;

    if (inode == NULL)
        return volume_fail(volume, errno, err, "the root directory");
    while ((at += strspn(path + at, "/")) < len) {
        size_t n = strcspn(path + at, "/");

        if (check_entered(inode, path, at, err) < 0 ||
            step(volume, path + at, n, &inode, err) < 0)
            return -1;
        at += n;
    }
    *ret = v2v_steal(inode);
    return 0;
}

int
open_path(struct ntfs_volume *volume, const char *path, ntfs_inode **ret,
          struct v2v_error *err)
{
    if (walk(volume, path, strlen(path), ret, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}

static int
open_directory(struct ntfs_volume *volume, const char *path, size_t len,
               ntfs_inode **ret, struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;

    if (walk(volume, path, len, &inode, err) < 0 ||
        check_entered(inode, path, len, err) < 0)
        return v2v_fail_in(err, "%s", path);
    *ret = v2v_steal(inode);
    return 0;
}

int
open_parent(struct ntfs_volume *volume, const char *path, ntfs_inode **ret,
            const char **ret_name, struct v2v_error *err)
{
    const char *name = v2v_base_name(path);

    if (open_directory(volume, path, (size_t)(name - path), ret, err) < 0)
        return -1;
    *ret_name = name;
    return 0;
}

/* ---- what is asked ---- */

static void
describe(const ntfs_inode *inode, struct ntfs_entry *ret)
{
    bool plain = !is_directory(inode) && !is_reparse(inode);

    *ret = (struct ntfs_entry){
        .exists = true,
        .is_dir = is_directory(inode) && !is_reparse(inode),
        .reparse = is_reparse(inode),
        .encrypted = (inode->flags & FILE_ATTR_ENCRYPTED) != 0,
        .compressed = (inode->flags & FILE_ATTR_COMPRESSED) != 0,
        .size = plain && inode->data_size > 0 ? (uint64_t)inode->data_size : 0,
        .record = inode->mft_no,
    };
}

static int
find(struct ntfs_volume *volume, ntfs_inode *dir, const char *asked,
     char **ret_name, struct ntfs_entry *ret, struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    struct name name;
    int found;

    if (name_set(asked, &name, err) < 0)
        return -1;
    found = open_child(volume, dir, &name, true, &inode, err);
    if (found < 0 ||
        (found > 0 && spell(volume, dir, inode, &name, &name, err) < 0))
        return -1;
    *ret_name = v2v_utf8_from_utf16(
        name.units, (size_t)name.count * sizeof *name.units, err);
    if (*ret_name == NULL)
        return -1;
    *ret = (struct ntfs_entry){ .exists = false };
    if (found > 0)
        describe(inode, ret);
    return 0;
}

int
ntfs_lookup(struct ntfs_volume *volume, const char *dir, const char *name,
            char **ret_name, struct ntfs_entry *ret, struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;

    if (volume_begin(volume, err) < 0 ||
        open_directory(volume, dir, strlen(dir), &inode, err) < 0)
        return -1;
    if (find(volume, inode, name, ret_name, ret, err) < 0)
        return v2v_fail_in(err, "%s: %s", dir, name);
    return 0;
}

struct listing {
    struct v2v_strings *names;
    size_t left;
    struct v2v_error *err; /* with a code when adding has failed */
};

/* "/" and NUL are in no name that Windows makes. */
static bool
can_be_asked_for(const char *name, int units)
{
    return strlen(name) >= (size_t)units && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int
add_name(void *opaque, const ntfschar *units, const int count, const int type,
         const s64 pos, const MFT_REF ref, const unsigned kind)
{
    struct listing *listing = opaque;
    V2V_AUTO(mem) char *name = NULL;

    (void)pos;
    (void)ref;
    (void)kind;
    if (type == FILE_NAME_DOS)
        return 0;
    name =
        v2v_utf8_from_utf16(units, (size_t)count * sizeof *units, listing->err);
    if (name == NULL)
        return -1;
    if (!can_be_asked_for(name, count))
        return 0;
    if (listing->left-- == 0)
        return v2v_fail(listing->err, V2V_ERR_GUEST, "too many names");
    return v2v_strings_add(listing->names, name, listing->err);
}

int
ntfs_list(struct ntfs_volume *volume, const char *dir, size_t max,
          struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    struct v2v_error own = { 0 };
    struct listing listing = { ret, max, &own };
    s64 pos = 0;

    if (volume_begin(volume, err) < 0 ||
        open_directory(volume, dir, strlen(dir), &inode, err) < 0)
        return -1;
    if (ntfs_readdir(inode, &pos, &listing, add_name) == 0)
        return 0;
    if (own.code != V2V_OK)
        return v2v_fail(err, own.code, "%s: %s (%zu are taken)", dir, own.text,
                        max);
    return volume_fail(volume, errno, err, "%s", dir);
}

int
open_data(struct ntfs_volume *volume, const char *path, ntfs_inode *inode,
          ntfs_attr **ret, struct v2v_error *err)
{
    if (is_reparse(inode) || is_directory(inode))
        return v2v_fail(err, V2V_ERR_GUEST, "%s is %s", path,
                        is_reparse(inode)
                            ? "a reparse point, whose content only Windows "
                              "knows"
                            : "a directory");
    if ((inode->flags & FILE_ATTR_ENCRYPTED) != 0)
        return v2v_fail(err, V2V_ERR_GUEST, "%s is encrypted (EFS)", path);
    *ret = ntfs_attr_open(inode, AT_DATA, AT_UNNAMED, 0);
    if (*ret == NULL)
        return volume_fail(volume, errno, err, "%s: its content", path);
    return 0;
}

static int
read_data(const struct ntfs_volume *volume, const char *path, ntfs_attr *data,
          uint64_t offset, size_t len, struct v2v_bytes *ret,
          struct v2v_error *err)
{
    if (v2v_bytes_reserve(ret, len, err) < 0)
        return -1;
    while (len > 0) {
        size_t want = len < READ_MAX ? len : READ_MAX;
        s64 got =
            ntfs_attr_pread(data, (s64)offset, (s64)want, ret->data + ret->len);

        if (got <= 0 || (size_t)got > want)
            return volume_fail(volume, got < 0 ? errno : EIO, err,
                               "reading %s at byte %" PRIu64, path, offset);
        ret->len += (size_t)got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }
    return 0;
}

int
ntfs_read(struct ntfs_volume *volume, const char *path, uint64_t offset,
          size_t len, struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    V2V_AUTO(attr) ntfs_attr *data = NULL;
    uint64_t size;

    if (volume_begin(volume, err) < 0 ||
        open_path(volume, path, &inode, err) < 0 ||
        open_data(volume, path, inode, &data, err) < 0)
        return -1;
    size = data->data_size > 0 ? (uint64_t)data->data_size : 0;
    if (offset >= size)
        return 0;
    if (len > size - offset)
        len = (size_t)(size - offset);
    return read_data(volume, path, data, offset, len, ret, err);
}

int
ntfs_descriptor(struct ntfs_volume *volume, const char *path,
                struct v2v_bytes *ret, struct v2v_error *err)
{
    struct SECURITY_CONTEXT context = { .vol = volume->lib };
    V2V_AUTO(inode) ntfs_inode *inode = NULL;
    V2V_AUTO(mem) char *sd = NULL;
    int len, got;

    if (volume_begin(volume, err) < 0 ||
        open_path(volume, path, &inode, err) < 0)
        return -1;
    len = ntfs_get_ntfs_acl(&context, inode, NULL, 0);
    sd = len > 0 ? malloc((size_t)len) : NULL;
    got =
        sd != NULL ? ntfs_get_ntfs_acl(&context, inode, sd, (size_t)len) : len;
    /* what the library cannot read it makes up, for Everyone */
    if (got <= 0 || got != len || sd == NULL || library_complained() ||
        volume->device.broken.code != V2V_OK)
        return volume_fail(volume, got < 0 ? -got : EIO, err,
                           "%s: its security descriptor", path);
    return v2v_bytes_add(ret, sd, (size_t)len, err);
}
