/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ISO image as a medium.  libarchive prefers Rock Ridge to Joliet to plain
 * names, and takes the ";1" off the last. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "media/medium.h"

/* ECMA-119 7.2, 8.1 and 8.4: sector 16 is the first volume descriptor */
enum {
    sector_size = 2048,
    descriptor_offset = 16 * sector_size,
    descriptor_primary = 1,      /* byte 0 */
    identifier_offset = 1,       /* "CD001" */
    volume_blocks_offset = 80,   /* little endian half of a both-endian u32 */
    read_size = 2 * sector_size, /* INFs and catalogs lie far apart */
};

static inline void
v2v_auto_archive(struct archive **a)
{
    archive_read_free(*a); /* accepts NULL */
}

/* libarchive lists a cut image without complaint as long as the directories
 * are there, and they stand in front. */
static int
check_volume(const struct media *m, struct v2v_error *err)
{
    uint8_t sector[sector_size];
    off_t size = lseek(m->fd, 0, SEEK_END);
    uint64_t claimed;

    if (size < 0)
        return v2v_fail_errno(err, errno, "seek");
    if (pread(m->fd, sector, sizeof sector, descriptor_offset) !=
            sizeof sector ||
        memcmp(sector + identifier_offset, "CD001", 5) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "neither an ISO nor a floppy image");
    if (sector[0] != descriptor_primary)
        return 0;
    claimed = v2v_get_le(sector + volume_blocks_offset, 4) * sector_size;
    if ((uint64_t)size < claimed)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: %llu bytes long, but its volume has %llu",
                        (unsigned long long)size, (unsigned long long)claimed);
    return 0;
}

static int
fail_damaged(struct archive *a, struct v2v_error *err)
{
    const char *text = archive_error_string(a);

    return v2v_fail(err, V2V_ERR_FORMAT, "damaged ISO image: %s",
                    text != NULL ? text : "unknown reason");
}

static int
open_archive(const struct media *m, struct archive **ret, struct v2v_error *err)
{
    V2V_AUTO(archive) struct archive *a = archive_read_new();

    if (a == NULL)
        return v2v_fail_errno(err, ENOMEM, "libarchive");
    if (lseek(m->fd, 0, SEEK_SET) < 0)
        return v2v_fail_errno(err, errno, "seek");
    if (archive_read_support_format_iso9660(a) != ARCHIVE_OK ||
        archive_read_open_fd(a, m->fd, read_size) != ARCHIVE_OK)
        return fail_damaged(a, err);
    *ret = v2v_steal(a);
    return 0;
}

/* Returns 1, 0 at the end, -1 */
static int
next_entry(struct archive *a, struct archive_entry **ret, struct v2v_error *err)
{
    int result = archive_read_next_header(a, ret);

    if (result == ARCHIVE_EOF)
        return 0;
    if (result == ARCHIVE_WARN)
        v2v_trace("media", "%s", archive_error_string(a));
    else if (result != ARCHIVE_OK)
        return fail_damaged(a, err);
    return 1;
}

static int
add_entry(struct media *m, struct archive_entry *entry, size_t ordinal,
          struct v2v_error *err)
{
    const char *path = archive_entry_pathname(entry);
    const char *link = archive_entry_hardlink(entry);
    int64_t size = archive_entry_size(entry);

    if (path == NULL) /* Joliet, not in this locale's character set */
        media_leave_out(&m->unsafe, archive_entry_pathname_utf8(entry) != NULL
                                        ? archive_entry_pathname_utf8(entry)
                                        : "?");
    else if (archive_entry_filetype(entry) == AE_IFLNK)
        media_leave_out(&m->symlinks, path);
    else if (archive_entry_filetype(entry) == AE_IFREG)
        return media_add(m, path, size > 0 ? (uint64_t)size : 0, ordinal, link,
                         err);
    return 0;
}

static int
list(struct media *m, struct v2v_error *err)
{
    V2V_AUTO(archive) struct archive *a = NULL;
    struct archive_entry *entry;
    int more;

    if (check_volume(m, err) < 0 || open_archive(m, &a, err) < 0)
        return -1;
    for (size_t ordinal = 0; (more = next_entry(a, &entry, err)) > 0;
         ordinal++) {
        if (ordinal == MEDIA_MAX_ENTRIES)
            return v2v_fail(err, V2V_ERR_FORMAT, "more than %d entries",
                            MEDIA_MAX_ENTRIES);
        if (add_entry(m, entry, ordinal, err) < 0)
            return -1;
    }
    return more;
}

static int
read_entry(struct archive *a, const struct media_wish *wish,
           struct v2v_error *err)
{
    uint8_t buffer[read_size];

    for (;;) {
        la_ssize_t n = archive_read_data(a, buffer, sizeof buffer);

        if (n < 0)
            return fail_damaged(a, err);
        if (n == 0)
            break;
        if (wish->ret->len + (size_t)n > wish->size)
            return v2v_fail(err, V2V_ERR_FORMAT, "longer than its entry says");
        if (v2v_bytes_add(wish->ret, buffer, (size_t)n, err) < 0)
            return -1;
    }
    if (wish->ret->len != wish->size)
        return v2v_fail(err, V2V_ERR_FORMAT, "shorter than its entry says");
    return 0;
}

/* The next @skip entries are passed over, the one after is @wish. */
static int
load_one(struct archive *a, size_t skip, const struct media_wish *wish,
         struct v2v_error *err)
{
    struct archive_entry *entry;
    const char *path;

    for (size_t i = 0; i <= skip; i++) {
        int more = next_entry(a, &entry, err);

        if (more < 0)
            return -1;
        if (more == 0)
            return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
    }
    path = archive_entry_pathname(entry);
    if (path == NULL || strcmp(path, wish->stored) != 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
    return read_entry(a, wish, err);
}

static int
load(struct media *m, const struct media_wish *wishes, size_t count,
     struct v2v_error *err)
{
    V2V_AUTO(archive) struct archive *a = NULL;
    size_t next = 0;

    if (open_archive(m, &a, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (load_one(a, wishes[i].ordinal - next, &wishes[i], err) < 0)
            return v2v_fail_in(err, "%s", wishes[i].stored);
        next = wishes[i].ordinal + 1;
    }
    return 0;
}

const struct media_kind media_iso = { .list = list, .load = load };
