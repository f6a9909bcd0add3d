/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/ntfs.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "disk/mft.h"
#include "disk/read.h"

/* Sizes of a page of the journal: 4096 bytes, 8192 on Itanium. */
enum { PAGE_DEFAULT = 4096, PAGE_MAX = 16384 };

/* Source: <ntfs-3g/layout.h>, NTFS_SYSTEM_FILES. */
enum { FILE_VOLUME = 3 };

/* Lengths of the headers that are read. */
enum { VOLUME_INFORMATION = 12, RESTART_HEADER = 30, RESTART_AREA = 48 };

/* Source: <ntfs-3g/logfile.h>. */
enum { LOGFILE_NO_CLIENT = 0xFFFF, RESTART_VOLUME_IS_CLEAN = 0x0002 };

static int
read_volume_information(const struct mft_volume *volume,
                        struct ntfs_state *state, struct v2v_error *err)
{
    uint8_t record[MFT_RECORD_MAX];
    const uint8_t *content;
    struct mft_attr attr;
    size_t len;

    if (mft_read_record(volume, FILE_VOLUME, record, err) < 0)
        return -1;
    if (!mft_find_attr(volume, record, MFT_VOLUME_INFORMATION, &attr))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "$Volume has no $VOLUME_INFORMATION");
    if (!mft_attr_content(&attr, &content, &len) || len < VOLUME_INFORMATION)
        return v2v_fail(err, V2V_ERR_FORMAT, "$VOLUME_INFORMATION is damaged");
    state->major = content[8];
    state->minor = content[9];
    state->flags = disk_le16(content + 10);
    state->dirty = (state->flags & NTFS_VOLUME_IS_DIRTY) != 0;
    return 0;
}

/* One of the two restart pages. */
struct restart_page {
    bool valid;
    uint64_t lsn;
    enum ntfs_journal journal;
};

/* Source of the rules: the comments on client_in_use_list and flags of
 * RESTART_AREA, and on versions, in <ntfs-3g/logfile.h>: before Windows XP a
 * clean journal is closed, since then it stays open and is marked.  "CHKD"
 * in place of "RSTR" is a journal that chkdsk has touched: Windows has not
 * used it since, so it is not taken as valid. */
static void
parse_restart_page(uint8_t *page, size_t size, struct restart_page *ret)
{
    size_t area = disk_le16(page + 24);
    int major = (int16_t)disk_le16(page + 28);
    bool closed;

    *ret = (struct restart_page){ 0 };
    if (!mft_undo_update_sequence(page, size) || area < RESTART_HEADER ||
        area > size - RESTART_AREA)
        return;
    closed = disk_le16(page + area + 12) == LOGFILE_NO_CLIENT ||
             (disk_le16(page + area + 14) & RESTART_VOLUME_IS_CLEAN) != 0;
    ret->valid = true;
    ret->lsn = disk_le64(page + area);
    ret->journal = major > 2    ? NTFS_JOURNAL_UNREADABLE
                   : major == 2 ? NTFS_JOURNAL_V2
                   : closed     ? NTFS_JOURNAL_CLEAN
                                : NTFS_JOURNAL_UNCLEAN;
}

/* The size of a page is said in the page itself: @size is 0 where there is
 * none, and is written even when the page turns out not to be valid. */
static int
read_restart_page(const struct mft_volume *volume, const struct mft_data *log,
                  uint64_t offset, size_t *size, struct restart_page *ret,
                  struct v2v_error *err)
{
    uint8_t page[PAGE_MAX];

    *size = 0;
    *ret = (struct restart_page){ 0 };
    if (mft_data_read(volume, log, offset, page, DISK_SECTOR, err) < 0)
        return -1;
    if (memcmp(page, "RSTR", 4) != 0 ||
        !disk_is_power_of_two(disk_le32(page + 16)) ||
        disk_le32(page + 16) < DISK_SECTOR || disk_le32(page + 16) > PAGE_MAX)
        return 0;
    *size = disk_le32(page + 16);
    if (mft_data_read(volume, log, offset, page, *size, err) < 0)
        return -1;
    parse_restart_page(page, *size, ret);
    return 0;
}

/* Of two pages with the same number, as a crash between their writes may
 * leave them, the one that is further from clean counts. */
static enum ntfs_journal
newer_page(const struct restart_page *a, const struct restart_page *b)
{
    if (!a->valid || !b->valid)
        return a->valid   ? a->journal
               : b->valid ? b->journal
                          : NTFS_JOURNAL_UNREADABLE;
    if (a->lsn != b->lsn)
        return a->lsn > b->lsn ? a->journal : b->journal;
    return a->journal > b->journal ? a->journal : b->journal;
}

static bool
is_blank(const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (buf[i] != 0xFF)
            return false;
    return true;
}

static int
read_restart_pages(const struct mft_volume *volume, const struct mft_data *log,
                   enum ntfs_journal *ret, struct v2v_error *err)
{
    uint8_t start[2 * PAGE_DEFAULT];
    struct restart_page first, second;
    size_t size, second_size;

    if (mft_data_read(volume, log, 0, start, sizeof start, err) < 0)
        return -1;
    if (is_blank(start, sizeof start)) {
        *ret = NTFS_JOURNAL_EMPTY;
        return 0;
    }
    if (read_restart_page(volume, log, 0, &size, &first, err) < 0)
        return -1;
    if (size == 0)
        size = PAGE_DEFAULT;
    if (read_restart_page(volume, log, size, &second_size, &second, err) < 0)
        return -1;
    second.valid = second.valid && second_size == size;
    *ret = newer_page(&first, &second);
    return 0;
}

/* A journal that is damaged is a state like others; only a disk that cannot
 * be read is a failure. */
static int
read_journal(const struct mft_volume *volume, enum ntfs_journal *ret,
             struct v2v_error *err)
{
    V2V_AUTO(mft_data) struct mft_data log = { 0 };
    uint8_t record[MFT_RECORD_MAX];
    struct v2v_error cause = { 0 };

    if (mft_read_record(volume, NTFS_LOGFILE, record, &cause) == 0 &&
        mft_data_load(volume, NTFS_LOGFILE, record, 2 * PAGE_MAX, &log,
                      &cause) == 0 &&
        read_restart_pages(volume, &log, ret, &cause) == 0)
        return 0;
    if (cause.code != V2V_ERR_FORMAT)
        return v2v_fail(err, cause.code, "$LogFile: %s", cause.text);
    v2v_fact("disk", "$LogFile: %s", cause.text);
    *ret = NTFS_JOURNAL_UNREADABLE;
    return 0;
}

static int
read_state(const struct disk_reader *disk, uint64_t volume_offset,
           uint64_t volume_len, struct ntfs_state *ret, struct v2v_error *err)
{
    V2V_AUTO(mft_volume) struct mft_volume volume = { 0 };
    struct ntfs_state state = { 0 };

    if (mft_volume_init(disk, volume_offset, volume_len, &volume, err) < 0 ||
        read_volume_information(&volume, &state, err) < 0 ||
        read_journal(&volume, &state.journal, err) < 0)
        return -1;
    state.cluster_size = volume.cluster_size;
    state.serial = volume.serial;
    *ret = state;
    return 0;
}

int
ntfs_state_read(const struct disk_reader *disk, uint64_t volume_offset,
                uint64_t volume_len, struct ntfs_state *ret,
                struct v2v_error *err)
{
    if (read_state(disk, volume_offset, volume_len, ret, err) < 0)
        return v2v_fail_in(err, "NTFS at byte %" PRIu64, volume_offset);
    return 0;
}

/* Whether the clusters hold what the file does, for @len bytes. */
static int
check_plain(const struct mft_data *data, size_t len, struct v2v_error *err)
{
    if (mft_data_is_compressed(data))
        return v2v_fail(err, V2V_ERR_FORMAT, "compressed");
    if (mft_data_is_encrypted(data))
        return v2v_fail(err, V2V_ERR_FORMAT, "encrypted");
    if (data->len < len || data->initialised < len)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%" PRIu64 " bytes, of which %" PRIu64
                        " were ever written; %zu are needed",
                        data->len, data->initialised, len);
    return 0;
}

static void
add_extent(struct ntfs_place *place, uint64_t offset, uint64_t len)
{
    struct ntfs_extent *last = place->extents + place->count;

    if (place->count > 0 && last[-1].offset + last[-1].len == offset)
        last[-1].len += len;
    else
        place->extents[place->count++] = (struct ntfs_extent){ offset, len };
}

static int
find_place(const struct mft_volume *volume, uint64_t number, size_t len,
           struct ntfs_place *ret, struct v2v_error *err)
{
    V2V_AUTO(mft_data) struct mft_data data = { 0 };
    uint8_t record[MFT_RECORD_MAX];
    struct ntfs_place place = { .count = 0 };
    uint64_t offset, n;

    if (mft_read_record(volume, number, record, err) < 0)
        return -1;
    if (mft_check_base_record(record, err) < 0 ||
        mft_data_load(volume, number, record, len, &data, err) < 0 ||
        check_plain(&data, len, err) < 0)
        return v2v_fail_in(err, "MFT record %" PRIu64, number);
    for (uint64_t at = 0; at < len; at += n) {
        if (mft_data_find(volume, &data, at, &offset, &n, err) < 0)
            return v2v_fail_in(err, "MFT record %" PRIu64, number);
        if (n > len - at)
            n = len - at;
        add_extent(&place, volume->offset + offset, n);
    }
    *ret = place;
    return 0;
}

int
ntfs_file_place(const struct disk_reader *disk, uint64_t volume_offset,
                uint64_t volume_len, uint64_t number, size_t len,
                struct ntfs_place *ret, struct v2v_error *err)
{
    V2V_AUTO(mft_volume) struct mft_volume volume = { 0 };

    assert(len > 0 && len <= NTFS_PLACE_MAX);
    if (mft_volume_init(disk, volume_offset, volume_len, &volume, err) < 0 ||
        find_place(&volume, number, len, ret, err) < 0)
        return v2v_fail_in(err, "NTFS at byte %" PRIu64, volume_offset);
    return 0;
}

const char *
ntfs_journal_name(enum ntfs_journal journal)
{
    static const char *const names[] = {
        [NTFS_JOURNAL_CLEAN] = "clean",
        [NTFS_JOURNAL_EMPTY] = "empty",
        [NTFS_JOURNAL_UNCLEAN] = "unclean",
        [NTFS_JOURNAL_V2] = "version 2 (fast startup or crash)",
        [NTFS_JOURNAL_UNREADABLE] = "unreadable",
    };

    return (unsigned)journal < sizeof names / sizeof *names ? names[journal]
                                                            : "unreadable";
}
