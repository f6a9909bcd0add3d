/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/search.h"

#include <string.h>

#include "base/log.h"
#include "facts/boot.h"

/* Is there a file of @least bytes?  What cannot be reached, as behind a
 * junction such as "Documents and Settings", is none. */
static int
find_file(struct guest *guest, const char *path, uint64_t least, bool *ret,
          struct v2v_error *err)
{
    struct guest_stat st = { 0 };

    if (guest_stat(guest, path, &st, err) < 0 && err->code != V2V_ERR_GUEST)
        return -1;
    *ret = st.exists && !st.is_dir && (st.reparse || st.size >= least);
    return 0;
}

/* A directory of the volume's root is a system root if it has a SYSTEM and a
 * SOFTWARE hive. */
static int
find_hives(struct guest *guest, const char *dir, bool *ret,
           struct v2v_error *err)
{
    static const char *const files[] = { "SYSTEM", "SOFTWARE" };

    *ret = true;
    for (size_t i = 0; *ret && i < sizeof files / sizeof *files; i++) {
        V2V_AUTO(mem) char *path =
            v2v_format(err, "%s/System32/config/%s", dir, files[i]);

        if (path == NULL || find_file(guest, path, 0, ret, err) < 0)
            return -1;
    }
    return 0;
}

/* The system root's name in the mounted volume as the disk spells it, or NULL
 * when it holds no Windows.  The usual name is looked at first: others are
 * rare.  @names: the volume's root */
static int
find_system_root(struct guest *guest, const struct v2v_strings *names,
                 char **ret, struct v2v_error *err)
{
    for (int usual = 1; usual >= 0; usual--) {
        for (size_t i = 0; i < names->count; i++) {
            bool found = false;

            if (v2v_equal_nocase(names->items[i], "Windows") == (usual == 1) &&
                find_hives(guest, names->items[i], &found, err) < 0)
                return -1;
            if (!found)
                continue;
            *ret = v2v_strdup(names->items[i], err);
            return *ret == NULL ? -1 : 0;
        }
    }
    return 0;
}

struct boot_file {
    const char *path;
    size_t flag; /* the offset of what it sets */
};

#define FLAG(name) offsetof(struct facts_volume, name)

/* What a BIOS' boot sector loads, of Vista and later and of those before;
 * source: Microsoft, "BCD System Store Settings for UEFI", "Boot and UEFI". */
static const struct boot_file ntfs_files[] = {
    { "bootmgr", FLAG(boot_manager) },
    { "ntldr", FLAG(nt_loader) },
};

/* What UEFI loads: by its boot entry, and without one (UEFI 2.10, 3.5.1.1). */
static const struct boot_file esp_files[] = {
    { "EFI/Microsoft/Boot/bootmgfw.efi", FLAG(boot_manager) },
    { "EFI/Boot/bootx64.efi", FLAG(fallback_loader) },
    { "EFI/Boot/bootia32.efi", FLAG(fallback_loader) },
    { "EFI/Boot/bootaa64.efi", FLAG(fallback_loader) },
};

static int
find_boot_file(struct guest *guest, const struct boot_file *file,
               struct facts_volume *volume, struct v2v_error *err)
{
    bool *flag = (bool *)((char *)volume + file->flag);

    return *flag ? 0 : find_file(guest, file->path, 1, flag, err);
}

static int
find_in_ntfs(struct guest *guest, struct facts_volume *volume,
             struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (guest_list(guest, "", &names, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof ntfs_files / sizeof *ntfs_files; i++)
        if (v2v_strings_has_nocase(&names, ntfs_files[i].path) &&
            find_boot_file(guest, &ntfs_files[i], volume, err) < 0)
            return -1;
    if (v2v_strings_has_nocase(&names, "Boot") &&
        facts_read_bcd(guest, "Boot/BCD", volume, err) < 0)
        return -1;
    return find_system_root(guest, &names, &volume->system_root, err);
}

static int
find_in_esp(struct guest *guest, struct facts_volume *volume,
            struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof esp_files / sizeof *esp_files; i++)
        if (find_boot_file(guest, &esp_files[i], volume, err) < 0)
            return -1;
    return facts_read_bcd(guest, "EFI/Microsoft/Boot/BCD", volume, err);
}

static int
look_into_ntfs(struct guest *guest, const struct disk_reader *reader,
               struct facts_volume *volume, struct v2v_error *err)
{
    const struct disk_volume *place = &volume->place;
    const struct guest_place name =
        guest_place(guest, volume->disk, place->number);
    const struct ntfs_state *state = &volume->state;

    if (ntfs_state_read(reader, place->offset, place->len, &volume->state,
                        err) < 0)
        return v2v_fail_in(err, "%s", name.text);
    if (guest_mount(guest, volume->disk, place->number, false, err) < 0)
        return -1;
    if (find_in_ntfs(guest, volume, err) < 0)
        return v2v_fail_in(err, "%s", name.text);
    v2v_fact("facts", "%s: NTFS %u.%u, %s, journal %s, %s", name.text,
             state->major, state->minor, state->dirty ? "dirty" : "not dirty",
             ntfs_journal_name(state->journal),
             volume->system_root != NULL ? "with Windows" : "no Windows");
    return 0;
}

static int
look_into_esp(struct guest *guest, struct facts_volume *volume,
              struct v2v_error *err)
{
    unsigned number = volume->place.number;

    if (guest_mount_fat(guest, volume->disk, number, err) < 0)
        return -1;
    if (find_in_esp(guest, volume, err) < 0)
        return v2v_fail_in(err, "%s",
                           guest_place(guest, volume->disk, number).text);
    return 0;
}

/* With a key that opens it, what is in it takes its place. */
static int
open_bitlocker(struct guest *guest, const struct disk_reader *reader,
               struct facts_volume *volume, struct v2v_error *err)
{
    struct disk_volume *place = &volume->place;
    const struct guest_place name =
        guest_place(guest, volume->disk, place->number);

    volume->encrypted = true;
    if (bitlocker_read(reader, place->offset, place->len, &volume->keys, err) <
        0)
        return v2v_fail_in(err, "%s", name.text);
    v2v_fact("facts", "%s: BitLocker %s, protected by: %s", name.text,
             volume->keys.volume.text, volume->keys.protectors);
    if (guest_unlock(guest, volume->disk, place, &volume->keys, &volume->lock,
                     err) < 0)
        return -1;
    if (volume->lock != GUEST_UNLOCKED)
        return 0;
    return disk_classify(reader, place, err) < 0
               ? v2v_fail_in(err, "%s", name.text)
               : 0;
}

static int
look_into_content(struct guest *guest, const struct disk_reader *reader,
                  struct facts_volume *volume, struct v2v_error *err)
{
    if (volume->place.content == DISK_BITLOCKER &&
        open_bitlocker(guest, reader, volume, err) < 0)
        return -1;
    if (volume->place.content == DISK_NTFS)
        return look_into_ntfs(guest, reader, volume, err);
    if (volume->place.esp && volume->place.content == DISK_FAT)
        return look_into_esp(guest, volume, err);
    return 0;
}

static int
look_into_volume(struct guest *guest, const struct disk_reader *reader,
                 struct facts_volume *volume, struct v2v_error *err)
{
    if (look_into_content(guest, reader, volume, err) == 0)
        return 0;
    if (err->code == V2V_ERR_INTERNAL)
        return -1;
    v2v_fact("facts", "%s", err->text);
    volume->unreadable = v2v_strdup(err->text, err);
    return volume->unreadable == NULL ? -1 : 0;
}

static int
add_volumes(unsigned disk, const struct disk_layout *layout,
            struct facts *facts, struct v2v_error *err)
{
    size_t count = facts->volume_count + layout->count;
    struct facts_volume *volumes;

    if (layout->count == 0)
        return 0;
    volumes = reallocarray(facts->volumes, count, sizeof *volumes);
    if (volumes == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    facts->volumes = volumes;
    for (size_t i = 0; i < layout->count; i++)
        volumes[facts->volume_count++] =
            (struct facts_volume){ .disk = disk, .place = layout->volumes[i] };
    return 0;
}

/* No partition table: a blank disk, or one that only another system reads. */
static int
set_unreadable(const struct facts *facts, unsigned index,
               struct facts_disk *disk, struct v2v_error *err)
{
    if (facts->disk_count > 1)
        v2v_error_prefix(err, "disk %u", index + 1);
    if (err->code != V2V_ERR_FORMAT)
        return -1;
    v2v_fact("facts", "%s", err->text);
    disk->unreadable = v2v_strdup(err->text, err);
    return disk->unreadable == NULL ? -1 : 0;
}

/* Adds its volumes. */
static int
probe(const struct disk_reader *reader, unsigned index, struct facts *facts,
      struct v2v_error *err)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct facts_disk *disk = &facts->disks[index];

    disk->size = reader->size;
    if (disk_probe(reader, &layout, err) < 0)
        return set_unreadable(facts, index, disk, err);
    disk->table = layout.table;
    memcpy(disk->id, layout.id, sizeof disk->id);
    v2v_fact("facts", "disk %u: partition table %s, %zu volume(s)", index + 1,
             disk_table_name(layout.table), layout.count);
    return add_volumes(index, &layout, facts, err);
}

int
facts_search(struct guest *guest, struct facts *facts, struct v2v_error *err)
{
    unsigned count = guest_disk_count(guest);

    facts->disks = calloc(count, sizeof *facts->disks);
    if (facts->disks == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    facts->disk_count = count;
    for (unsigned i = 0; i < count; i++) {
        size_t first = facts->volume_count;
        struct disk_reader reader;

        if (guest_disk(guest, i, &reader, err) < 0 ||
            probe(&reader, i, facts, err) < 0)
            return -1;
        for (size_t k = first; k < facts->volume_count; k++)
            if (look_into_volume(guest, &reader, &facts->volumes[k], err) < 0)
                return -1;
    }
    guest_warn_of_keys(guest);
    return 0;
}
