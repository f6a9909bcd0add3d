/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/search.h"

#include "base/log.h"

void
search_done(struct search *search)
{
    for (unsigned i = 0; i < search->disk_count; i++)
        disk_layout_done(&search->disks[i].layout);
    free(search->disks);
    for (size_t i = 0; i < search->count; i++)
        free(search->found[i].system_root);
    free(search->found);
}

bool
search_matches(const struct facts_root *root, unsigned disk, unsigned partition)
{
    return (root->disk == FACTS_ANY || root->disk == (int)disk) &&
           (root->partition == FACTS_ANY || root->partition == (int)partition);
}

/* A directory of the volume's root is a system root if it has a SYSTEM and a
 * SOFTWARE hive.  The usual name is looked at first: others are rare. */
static int
is_system_root(struct guest *guest, const char *dir, struct v2v_error *err)
{
    static const char *const files[] = { "SYSTEM", "SOFTWARE" };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        V2V_AUTO(mem) char *path =
            v2v_format(err, "%s/System32/config/%s", dir, files[i]);
        struct guest_stat st;

        if (path == NULL)
            return -1;
        if (guest_stat(guest, path, &st, err) < 0) {
            /* a junction such as "Documents and Settings" is none */
            if (err->code == V2V_ERR_GUEST)
                return 0;
            return -1;
        }
        if (!st.exists || st.is_dir)
            return 0;
    }
    return 1;
}

/* The system root's name in the mounted volume as the disk spells it, or NULL
 * when it holds no Windows. */
static int
find_system_root(struct guest *guest, char **ret, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (guest_list(guest, "", &names, err) < 0)
        return -1;
    for (int usual = 1; usual >= 0; usual--) {
        for (size_t i = 0; i < names.count; i++) {
            int found = 0;

            if (v2v_equal_nocase(names.items[i], "Windows") == (usual == 1))
                found = is_system_root(guest, names.items[i], err);
            if (found < 0)
                return -1;
            if (found == 0)
                continue;
            *ret = v2v_strdup(names.items[i], err);
            return *ret == NULL ? -1 : 0;
        }
    }
    *ret = NULL;
    return 0;
}

static bool
is_clean(const struct ntfs_state *state)
{
    return !state->dirty && (state->journal == NTFS_JOURNAL_CLEAN ||
                             state->journal == NTFS_JOURNAL_EMPTY);
}

static int
add_windows(struct search *search, unsigned disk, unsigned partition,
            char **system_root, const struct ntfs_state *state,
            struct v2v_error *err)
{
    struct search_windows *items =
        reallocarray(search->found, search->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    search->found = items;
    items[search->count++] =
        (struct search_windows){ .disk = disk,
                                 .partition = partition,
                                 .system_root = v2v_steal(*system_root),
                                 .state = *state };
    return 0;
}

static int
look_into_ntfs(struct search *search, unsigned index,
               const struct disk_volume *volume, struct v2v_error *err)
{
    struct search_disk *disk = &search->disks[index];
    const struct guest_place place =
        guest_place(search->guest, index, volume->number);
    V2V_AUTO(mem) char *system_root = NULL;
    unsigned boot_count = disk->boot.count;
    struct ntfs_state state;

    if (ntfs_state_read(&disk->reader, volume->offset, volume->len, &state,
                        err) < 0)
        return v2v_fail_in(err, "%s", place.text);
    if (guest_mount(search->guest, index, volume->number, false, err) < 0)
        return -1;
    if (find_system_root(search->guest, &system_root, err) < 0 ||
        facts_read_bcd(search->guest, "Boot/BCD", &disk->boot, err) < 0)
        return v2v_fail_in(err, "%s", place.text);
    v2v_fact("facts", "%s: NTFS %u.%u, %s, journal %s, %s", place.text,
             state.major, state.minor, state.dirty ? "dirty" : "not dirty",
             ntfs_journal_name(state.journal),
             system_root != NULL ? "with Windows" : "no Windows");
    if (disk->boot.count > boot_count && !is_clean(&state))
        disk->unclean_boot = volume;
    if (system_root == NULL)
        return 0;
    return add_windows(search, index, volume->number, &system_root, &state,
                       err);
}

static int
look_into_esp(struct search *search, unsigned index,
              const struct disk_volume *volume, struct v2v_error *err)
{
    if (guest_mount_fat(search->guest, index, volume->number, err) < 0)
        return -1;
    if (facts_read_bcd(search->guest, "EFI/Microsoft/Boot/BCD",
                       &search->disks[index].boot, err) < 0)
        return v2v_fail_in(
            err, "%s", guest_place(search->guest, index, volume->number).text);
    return 0;
}

/* A volume that cannot be read does not hide a Windows in another, unless it
 * is the one that was asked for. */
static int
look_into_volume(struct search *search, unsigned index,
                 const struct disk_volume *volume, struct v2v_error *err)
{
    const struct facts_root *root = search->root;
    int result = 0;

    if (volume->content == DISK_NTFS)
        result = look_into_ntfs(search, index, volume, err);
    else if (volume->esp && volume->content == DISK_FAT)
        result = look_into_esp(search, index, volume, err);
    if (result == 0)
        return 0;
    if (err->code == V2V_ERR_INTERNAL ||
        (root->partition != FACTS_ANY &&
         search_matches(root, index, volume->number)))
        return -1;
    v2v_warn("facts", "volume-unreadable", "%s", err->text);
    search->bad_volume = *err;
    return 0;
}

/* Nor does a disk without partition table hide one on another: a blank one,
 * or one that only another system reads. */
static int
probe(struct search *search, unsigned index, struct v2v_error *err)
{
    struct search_disk *disk = &search->disks[index];

    if (guest_disk(search->guest, index, &disk->reader, err) < 0)
        return -1;
    if (disk_probe(&disk->reader, &disk->layout, err) == 0) {
        v2v_fact("facts", "disk %u: partition table %s, %zu volume(s)",
                 index + 1, disk_table_name(disk->layout.table),
                 disk->layout.count);
        return 0;
    }
    if (search->disk_count > 1)
        v2v_error_prefix(err, "disk %u", index + 1);
    if (err->code != V2V_ERR_FORMAT || search->root->disk == (int)index)
        return -1;
    v2v_fact("facts", "%s", err->text);
    search->bad_disk = *err;
    return 0;
}

int
search_disks(struct search *search, struct v2v_error *err)
{
    unsigned count = guest_disk_count(search->guest);

    search->disks = calloc(count, sizeof *search->disks);
    if (search->disks == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    search->disk_count = count;
    for (unsigned i = 0; i < count; i++) {
        const struct disk_layout *layout = &search->disks[i].layout;

        if (probe(search, i, err) < 0)
            return -1;
        for (size_t k = 0; k < layout->count; k++)
            if (look_into_volume(search, i, &layout->volumes[k], err) < 0)
                return -1;
    }
    return 0;
}
