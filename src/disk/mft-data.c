/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "disk/mft.h"
#include "disk/read.h"

/* Limits of what a volume may demand.  An attribute list is at most 256 KiB
 * (<ntfs-3g/layout.h>, ATTR_LIST_ENTRY). */
enum { LIST_MAX = 256 << 10, RUNS_MAX = 1 << 18 };

/* Lengths of the headers that are read. */
enum { ATTR_NON_RESIDENT_HEADER = 64, LIST_ENTRY_HEADER = 26 };

/* Source: <ntfs-3g/layout.h>, ATTR_FLAGS. */
enum { ATTR_COMPRESSION_MASK = 0x00FF, ATTR_IS_ENCRYPTED = 0x4000 };

/* ---- run lists */

void
mft_data_done(struct mft_data *data)
{
    free(data->runs);
    *data = (struct mft_data){ 0 };
}

bool
mft_data_is_compressed(const struct mft_data *data)
{
    return (data->flags & ATTR_COMPRESSION_MASK) != 0;
}

bool
mft_data_is_encrypted(const struct mft_data *data)
{
    return (data->flags & ATTR_IS_ENCRYPTED) != 0;
}

/* The cluster after the last run. */
static uint64_t
end_of_runs(const struct mft_data *data)
{
    const struct mft_run *last;

    if (data->count == 0)
        return 0;
    last = &data->runs[data->count - 1];
    return last->vcn + last->count;
}

static int
add_run(struct mft_data *data, uint64_t lcn, uint64_t count,
        struct v2v_error *err)
{
    uint64_t vcn = end_of_runs(data);

    if (count > UINT64_MAX - vcn || data->count == RUNS_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "too many runs of clusters");
    if ((data->count & (data->count - 1)) == 0) { /* full, at a power of 2 */
        size_t cap = data->count == 0 ? 1 : 2 * data->count;
        struct mft_run *runs = realloc(data->runs, cap * sizeof *runs);

        if (runs == NULL)
            return v2v_fail_errno(err, errno, "runs of clusters");
        data->runs = runs;
    }
    data->runs[data->count++] = (struct mft_run){ vcn, lcn, count };
    return 0;
}

/* A cursor over a run list.  Each run is a byte with two sizes, then its
 * length and the distance of its start from the start of the run before; one
 * without a start is a hole.  Source: <ntfs-3g/layout.h>,
 * mapping_pairs_offset. */
struct pairs {
    const struct mft_attr *attr;
    size_t at;
    uint64_t lcn; /* where the run before starts */
};

static bool
next_pair(struct pairs *pairs, uint64_t *ret_lcn, uint64_t *ret_count)
{
    const uint8_t *p = pairs->attr->data + pairs->at;
    size_t count_len = *p & 0x0F, lcn_len = *p >> 4;
    uint64_t delta;

    if (count_len == 0 || count_len > 8 || lcn_len > 8 ||
        count_len + lcn_len >= pairs->attr->len - pairs->at)
        return false;
    pairs->at += 1 + count_len + lcn_len;
    *ret_count = v2v_get_le(p + 1, count_len);
    *ret_lcn = MFT_HOLE;
    if (lcn_len > 0) {
        delta = v2v_get_le(p + 1 + count_len, lcn_len);
        if (lcn_len < 8 && (p[count_len + lcn_len] & 0x80) != 0)
            delta |= UINT64_MAX << (8 * lcn_len);
        pairs->lcn += delta; /* modulo 2^64: the caller checks the sum */
        *ret_lcn = pairs->lcn;
    }
    return *ret_count > 0;
}

/* The runs of one attribute, which must go on where @data ends. */
static int
add_runs(const struct mft_volume *volume, const struct mft_attr *attr,
         struct mft_data *data, struct v2v_error *err)
{
    struct pairs pairs = { .attr = attr };
    uint64_t clusters = volume->size / volume->cluster_size;

    if (mft_attr_is_resident(attr))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the content is inside the MFT record");
    if (attr->len < ATTR_NON_RESIDENT_HEADER ||
        disk_le64(attr->data + 16) != end_of_runs(data))
        return v2v_fail(err, V2V_ERR_FORMAT, "no list of clusters");
    if (data->count == 0) { /* elsewhere these mean nothing */
        data->flags = disk_le16(attr->data + 12);
        data->len = disk_le64(attr->data + 48);
        data->initialised = disk_le64(attr->data + 56);
    }
    pairs.at = disk_le16(attr->data + 32);
    while (pairs.at < attr->len && attr->data[pairs.at] != 0) {
        uint64_t lcn, count;

        if (!next_pair(&pairs, &lcn, &count) ||
            (lcn != MFT_HOLE && (lcn >= clusters || count > clusters - lcn)))
            return v2v_fail(err, V2V_ERR_FORMAT, "damaged list of clusters");
        if (add_run(data, lcn, count, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- attribute lists */

static int
read_list(const struct mft_volume *volume, const struct mft_attr *attr,
          struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(mft_data) struct mft_data data = { 0 };
    const uint8_t *content;
    size_t len;

    if (mft_attr_is_resident(attr)) {
        if (!mft_attr_content(attr, &content, &len))
            return v2v_fail(err, V2V_ERR_FORMAT, "longer than its record");
        return v2v_bytes_copy(content, len, ret, err);
    }
    if (add_runs(volume, attr, &data, err) < 0)
        return -1;
    if (data.len > LIST_MAX || data.initialised < data.len)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%" PRIu64 " bytes, of which %" PRIu64
                        " were ever written; at most %d are read",
                        data.len, data.initialised, LIST_MAX);
    ret->data = malloc(data.len > 0 ? data.len : 1);
    if (ret->data == NULL)
        return v2v_fail_errno(err, errno, "%" PRIu64 " bytes", data.len);
    ret->len = ret->cap = data.len;
    return mft_data_read(volume, &data, 0, ret->data, ret->len, err);
}

/* The next entry for a part of the unnamed $DATA, from byte *@at of @list on.
 * NULL: there is none, and *@at is the list's end unless it is damaged. */
static const uint8_t *
next_data_entry(const struct v2v_bytes *list, size_t *at)
{
    while (list->len - *at >= LIST_ENTRY_HEADER) {
        const uint8_t *entry = list->data + *at;
        size_t len = disk_le16(entry + 4);

        if (len < LIST_ENTRY_HEADER || len > list->len - *at)
            return NULL;
        *at += len;
        if (disk_le32(entry) == MFT_DATA && entry[6] == 0)
            return entry;
    }
    return NULL;
}

/* ---- the data of a file */

static int
add_part(const struct mft_volume *volume, const uint8_t *record,
         struct mft_data *data, struct v2v_error *err)
{
    struct mft_attr attr;

    if (!mft_find_attr(volume, record, MFT_DATA, &attr))
        return v2v_fail(err, V2V_ERR_FORMAT, "no unnamed $DATA");
    return add_runs(volume, &attr, data, err);
}

static int
add_listed_parts(const struct mft_volume *volume, uint64_t number,
                 const uint8_t *record, const struct v2v_bytes *list,
                 uint64_t clusters, struct mft_data *data,
                 struct v2v_error *err)
{
    uint64_t base = mft_reference(number, record);
    const uint8_t *entry;
    size_t at = 0;

    while (end_of_runs(data) < clusters &&
           (entry = next_data_entry(list, &at)) != NULL) {
        uint64_t reference = disk_le64(entry + 16);
        uint8_t extension[MFT_RECORD_MAX];

        if (reference != base &&
            mft_read_extension_record(volume, base, reference, extension, err) <
                0)
            return -1;
        if (add_part(volume, reference == base ? record : extension, data,
                     err) < 0)
            return -1;
    }
    if (end_of_runs(data) < clusters && at != list->len)
        return v2v_fail(err, V2V_ERR_FORMAT, "damaged attribute list");
    if (data->count == 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "no unnamed $DATA");
    return 0;
}

int
mft_data_load(const struct mft_volume *volume, uint64_t number,
              const uint8_t *record, uint64_t enough, struct mft_data *data,
              struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes list = { 0 };
    uint64_t clusters =
        enough / volume->cluster_size + (enough % volume->cluster_size != 0);
    struct mft_attr attr;

    if (!mft_find_attr(volume, record, MFT_ATTRIBUTE_LIST, &attr))
        return add_part(volume, record, data, err);
    if (read_list(volume, &attr, &list, err) < 0)
        return v2v_fail_in(err, "attribute list");
    return add_listed_parts(volume, number, record, &list, clusters, data, err);
}

int
mft_data_find(const struct mft_volume *volume, const struct mft_data *data,
              uint64_t offset, uint64_t *ret, uint64_t *ret_len,
              struct v2v_error *err)
{
    uint64_t vcn = offset / volume->cluster_size;
    uint64_t in_cluster = offset % volume->cluster_size;
    const struct mft_run *run;
    size_t low = 0, high = data->count; /* of the run, if there is one */

    if (vcn >= end_of_runs(data))
        return v2v_fail(err, V2V_ERR_FORMAT, "no cluster for byte %" PRIu64,
                        offset);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (data->runs[middle].vcn <= vcn)
            low = middle;
        else
            high = middle;
    }
    run = &data->runs[low];
    if (run->lcn == MFT_HOLE)
        return v2v_fail(err, V2V_ERR_FORMAT, "a hole at byte %" PRIu64, offset);
    vcn -= run->vcn;
    *ret = (run->lcn + vcn) * volume->cluster_size + in_cluster;
    *ret_len = (run->count - vcn) * volume->cluster_size - in_cluster;
    return 0;
}

int
mft_data_read(const struct mft_volume *volume, const struct mft_data *data,
              uint64_t offset, void *buf, size_t len, struct v2v_error *err)
{
    uint8_t *p = buf;

    while (len > 0) {
        uint64_t at, n;

        if (mft_data_find(volume, data, offset, &at, &n, err) < 0)
            return -1;
        if (n > len)
            n = len;
        if (mft_read_volume(volume, at, p, (size_t)n, err) < 0)
            return -1;
        offset += n;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}
