/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/find.h"

#include <string.h>

#include "base/log.h"
#include "disk/ntfs.h"
#include "disk/probe.h"
#include "facts/boot.h"

struct candidate {
    unsigned partition;
    char *system_root;
    struct ntfs_state state;
};

struct candidates {
    struct candidate *items;
    size_t count;
};

static void
v2v_auto_candidates(struct candidates *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].system_root);
    free(list->items);
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

static int
add_candidate(struct candidates *list, unsigned partition, char **system_root,
              const struct ntfs_state *state, struct v2v_error *err)
{
    struct candidate *items =
        reallocarray(list->items, list->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    list->items = items;
    items[list->count++] =
        (struct candidate){ .partition = partition,
                            .system_root = v2v_steal(*system_root),
                            .state = *state };
    return 0;
}

static int
look_into(struct guest *guest, const struct disk_reader *disk,
          const struct disk_volume *volume, struct candidates *list,
          struct facts *facts, struct v2v_error *err)
{
    V2V_AUTO(mem) char *system_root = NULL;
    struct ntfs_state state;

    if (ntfs_state_read(disk, volume->offset, volume->len, &state, err) < 0 ||
        guest_mount(guest, 0, volume->number, false, err) < 0 ||
        find_system_root(guest, &system_root, err) < 0 ||
        facts_read_bcd(guest, "Boot/BCD", facts, err) < 0)
        return v2v_fail_in(err, "partition %u", volume->number);
    v2v_fact("facts", "partition %u: NTFS %u.%u, %s, journal %s, %s",
             volume->number, state.major, state.minor,
             state.dirty ? "dirty" : "not dirty",
             ntfs_journal_name(state.journal),
             system_root != NULL ? "with Windows" : "no Windows");
    if (system_root == NULL)
        return 0;
    return add_candidate(list, volume->number, &system_root, &state, err);
}

static int
look_into_esp(struct guest *guest, const struct disk_volume *volume,
              struct facts *facts, struct v2v_error *err)
{
    if (guest_mount_fat(guest, 0, volume->number, err) < 0 ||
        facts_read_bcd(guest, "EFI/Microsoft/Boot/BCD", facts, err) < 0)
        return v2v_fail_in(err, "partition %u", volume->number);
    return 0;
}

/* What a disk without a Windows that can be read holds instead. */
static int
no_windows(const struct disk_layout *layout, struct v2v_error *err)
{
    for (size_t i = 0; i < layout->count; i++) {
        enum disk_content content = layout->volumes[i].content;

        if (content == DISK_BITLOCKER || content == DISK_LDM ||
            content == DISK_STORAGE_SPACES || content == DISK_REFS)
            return v2v_fail(err, V2V_ERR_GUEST,
                            "no Windows found, and partition %u is %s, which "
                            "cannot be read",
                            layout->volumes[i].number,
                            disk_content_name(content));
    }
    return v2v_fail(err, V2V_ERR_GUEST,
                    "no Windows found in %zu partition(s): no NTFS volume has "
                    "System32\\config\\SYSTEM and SOFTWARE",
                    layout->count);
}

static int
choose(const struct candidates *list, int partition,
       const struct candidate **ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };

    for (size_t i = 0; i < list->count; i++) {
        if (partition == (int)list->items[i].partition ||
            (partition == FACTS_ANY_PARTITION && list->count == 1)) {
            *ret = &list->items[i];
            return 0;
        }
        if (v2v_bytes_printf(&names, err, "%s%u", i == 0 ? "" : ", ",
                             list->items[i].partition) < 0)
            return -1;
    }
    if (partition != FACTS_ANY_PARTITION)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--root %d: there is no Windows in that partition, but "
                        "in partition %.*s",
                        partition, (int)names.len, (const char *)names.data);
    return v2v_fail(err, V2V_ERR_GUEST,
                    "%zu Windows in one image, in partitions %.*s: say which "
                    "with --root N",
                    list->count, (int)names.len, (const char *)names.data);
}

/* The signatures that a hibernated Windows has at the start of hiberfil.sys,
 * Fast Startup included.  Source: man ntfs-3g, "Windows hibernation and fast
 * restarting"; "wake" and zeroes are what a resumed Windows leaves. */
static int
check_hibernation(struct guest *guest, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes head = { 0 };

    if (guest_head(guest, "hiberfil.sys", 4, &head, err) < 0)
        return err->code == V2V_ERR_NOT_FOUND ? 0 : -1;
    if (head.len == 4 && strncasecmp((const char *)head.data, "hibr", 4) == 0)
        return v2v_fail(
            err, V2V_ERR_GUEST,
            "Windows is hibernated, or was shut down with Fast "
            "Startup (hiberfil.sys is active): start it and shut it "
            "down with \"shutdown /s /t 0\"");
    return 0;
}

static int
check_may_write(struct guest *guest, const struct candidate *windows,
                struct v2v_error *err)
{
    if (check_hibernation(guest, err) < 0)
        return -1;
    if (windows->state.dirty)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the NTFS volume is marked dirty: let Windows run "
                        "chkdsk and shut it down");
    switch (windows->state.journal) {
    case NTFS_JOURNAL_CLEAN:
    case NTFS_JOURNAL_EMPTY:
        return 0;
    case NTFS_JOURNAL_V2:
        return v2v_fail(err, V2V_ERR_GUEST,
                        "Windows was not shut down completely (NTFS journal "
                        "version 2: Fast Startup, hibernation or a crash): "
                        "start it and shut it down with \"shutdown /s /t 0\"");
    case NTFS_JOURNAL_UNCLEAN:
    case NTFS_JOURNAL_UNREADABLE:
        break;
    }
    return v2v_fail(err, V2V_ERR_GUEST,
                    "the NTFS journal is %s: the volume was not unmounted "
                    "cleanly; start Windows and shut it down",
                    ntfs_journal_name(windows->state.journal));
}

/* Look into every volume.  One that cannot be read does not hide a Windows in
 * another; @failure says why, should none be found. */
static int
look_into_all(struct guest *guest, const struct disk_reader *disk,
              const struct disk_layout *layout, int partition,
              struct candidates *list, struct facts *facts,
              struct v2v_error *failure, struct v2v_error *err)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct disk_volume *volume = &layout->volumes[i];
        int result = 0;

        if (volume->content == DISK_NTFS)
            result = look_into(guest, disk, volume, list, facts, err);
        else if (volume->esp && volume->content == DISK_FAT)
            result = look_into_esp(guest, volume, facts, err);
        if (result == 0)
            continue;
        if (err->code == V2V_ERR_INTERNAL || partition == (int)volume->number)
            return -1;
        v2v_warn("facts", "volume-unreadable", "%s", err->text);
        *failure = *err;
    }
    return 0;
}

int
facts_find_windows(struct guest *guest, int partition, struct facts *facts,
                   struct v2v_error *err)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    V2V_AUTO(candidates) struct candidates list = { 0 };
    const struct candidate *windows = NULL;
    struct v2v_error failure = { 0 };
    struct disk_reader disk;

    if (guest_disk(guest, 0, &disk, err) < 0 ||
        disk_probe(&disk, &layout, err) < 0)
        return -1;
    v2v_fact("facts", "partition table %s, %zu volume(s)",
             disk_table_name(layout.table), layout.count);
    if (look_into_all(guest, &disk, &layout, partition, &list, facts, &failure,
                      err) < 0)
        return -1;
    if (list.count == 0 && failure.code != V2V_OK) {
        *err = failure;
        return -1;
    }
    if (list.count == 0)
        return no_windows(&layout, err);
    if (choose(&list, partition, &windows, err) < 0)
        return -1;
    if (guest_mount(guest, 0, windows->partition, false, err) < 0 ||
        check_may_write(guest, windows, err) < 0)
        return v2v_fail_in(err, "partition %u", windows->partition);
    facts->partition = windows->partition;
    facts->system_root = v2v_strdup(windows->system_root, err);
    return facts->system_root == NULL ? -1 : 0;
}

/* An oemN.inf that lies in Windows\INF is taken, whatever the registry says. */
static int
list_oem_infs(struct guest *guest, struct facts *facts, struct v2v_error *err)
{
    V2V_AUTO(mem) char *dir = v2v_format(err, "%s/INF", facts->system_root);
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (dir == NULL)
        return -1;
    if (guest_list(guest, dir, &names, err) < 0) {
        if (err->code == V2V_ERR_NOT_FOUND)
            err->code = V2V_ERR_GUEST;
        return -1;
    }
    for (size_t i = 0; i < names.count; i++)
        if (facts_oem_number(names.items[i]) >= 0 &&
            !v2v_strings_has_nocase(&facts->oem_infs, names.items[i]) &&
            v2v_strings_add(&facts->oem_infs, names.items[i], err) < 0)
            return -1;
    return 0;
}

int
facts_load(struct guest *guest, int partition, const struct facts_allow *allow,
           struct facts_hives *hives, struct facts *facts,
           struct v2v_error *err)
{
    if (facts_find_windows(guest, partition, facts, err) < 0 ||
        facts_load_hives(guest, facts, allow, hives, err) < 0 ||
        facts_read(hives, facts, err) < 0)
        return -1;
    return list_oem_infs(guest, facts, err);
}
