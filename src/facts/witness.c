/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/witness.h"

#include <stdio.h>

#include "base/log.h"
#include "registry/base-block.h"

struct search {
    const struct disk_reader *disk;
    const struct disk_volume *volume;
    struct image_witness *found;
    size_t count;
};

static const struct disk_volume *
find_volume(const struct disk_layout *layout, unsigned partition)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->volumes[i].number == partition)
            return &layout->volumes[i];
    return NULL;
}

static int
add(struct search *search, const char *name, uint64_t file_number, size_t len,
    struct v2v_error *err)
{
    struct ntfs_place place;
    struct v2v_error why = { 0 };

    if (ntfs_file_place(search->disk, search->volume->offset,
                        search->volume->len, file_number, len, &place,
                        &why) < 0) {
        v2v_fact("facts", "%s is no witness of later runs: %s", name, why.text);
        if (why.code == V2V_ERR_FORMAT)
            return 0;
        return v2v_fail(err, why.code, "%s", why.text);
    }
    for (size_t i = 0; i < place.count; i++) {
        struct image_witness *to = &search->found[search->count++];

        *to = (struct image_witness){ .offset = place.extents[i].offset,
                                      .len = place.extents[i].len };
        snprintf(to->name, sizeof to->name, "%s", name);
    }
    return 0;
}

static int
add_all(struct search *search, const struct facts_hives *hives,
        struct v2v_error *err)
{
    if (add(search, "the NTFS journal", NTFS_LOGFILE, NTFS_LOGFILE_RESTART,
            err) < 0)
        return -1;
    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++) {
        char name[sizeof search->found->name];

        snprintf(name, sizeof name, "the %s hive", reg_hive_name(id));
        if (hives->items[id].file_number != 0 &&
            add(search, name, hives->items[id].file_number, REG_BASE_BLOCK_LEN,
                err) < 0)
            return -1;
    }
    return 0;
}

int
facts_witnesses(const struct facts *facts, const struct facts_hives *hives,
                const struct disk_reader *disk,
                struct image_witness ret[FACTS_WITNESSES], size_t *count,
                struct v2v_error *err)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct search search = { .disk = disk, .found = ret };

    if (disk_probe(disk, &layout, err) < 0)
        return -1;
    search.volume = find_volume(&layout, facts->partition);
    if (search.volume == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "partition %u is gone",
                        facts->partition);
    if (add_all(&search, hives, err) < 0)
        return -1;
    *count = search.count;
    return 0;
}
