/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/find.h"

#include <string.h>

#include "base/log.h"
#include "facts/search.h"

static bool
may_hide_windows(enum disk_content content)
{
    return content == DISK_BITLOCKER || content == DISK_LDM ||
           content == DISK_STORAGE_SPACES || content == DISK_REFS;
}

/* Why none was found: what comes first is the likelier place of one. */
static int
no_windows(const struct search *search, struct v2v_error *err)
{
    size_t volumes = 0;

    if (search->bad_volume.code != V2V_OK) {
        *err = search->bad_volume;
        return -1;
    }
    for (unsigned i = 0; i < search->disk_count; i++) {
        const struct disk_layout *layout = &search->disks[i].layout;

        for (size_t k = 0; k < layout->count; k++) {
            const struct disk_volume *volume = &layout->volumes[k];

            if (may_hide_windows(volume->content))
                return v2v_fail(
                    err, V2V_ERR_GUEST,
                    "no Windows found, and %s is %s, which cannot be read",
                    guest_place(search->guest, i, volume->number).text,
                    disk_content_name(volume->content));
        }
        volumes += layout->count;
    }
    if (search->bad_disk.code != V2V_OK) {
        *err = search->bad_disk;
        return -1;
    }
    return v2v_fail(err, V2V_ERR_GUEST,
                    "no Windows found in %zu partition(s): no NTFS volume has "
                    "System32\\config\\SYSTEM and SOFTWARE",
                    volumes);
}

/* "partition 1", or "partitions 1, 2"; with several disks as --root calls
 * them: "partitions 1:1, 2:1". */
static int
name_all(const struct search *search, struct v2v_bytes *ret,
         struct v2v_error *err)
{
    if (v2v_bytes_printf(ret, err, "partition%s",
                         search->count == 1 ? "" : "s") < 0)
        return -1;
    for (size_t i = 0; i < search->count; i++) {
        const struct search_windows *windows = &search->found[i];
        const char *before = i == 0 ? " " : ", ";

        if (search->disk_count == 1
                ? v2v_bytes_printf(ret, err, "%s%u", before,
                                   windows->partition) < 0
                : v2v_bytes_printf(ret, err, "%s%u:%u", before,
                                   windows->disk + 1, windows->partition) < 0)
            return -1;
    }
    return 0;
}

static int
none_at_root(const struct facts_root *root, const struct v2v_bytes *others,
             struct v2v_error *err)
{
    v2v_error_set(err, V2V_ERR_USAGE,
                  "there is no Windows in that partition, but in %.*s",
                  (int)others->len, (const char *)others->data);
    return root->disk == FACTS_ANY
               ? v2v_fail_in(err, "--root %d", root->partition)
               : v2v_fail_in(err, "--root %d:%d", root->disk + 1,
                             root->partition);
}

/* One of those that were found, of which there is at least one. */
static int
choose(const struct search *search, const struct search_windows **ret,
       struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    const struct search_windows *windows = NULL;
    size_t matching = 0;

    for (size_t i = 0; i < search->count; i++) {
        if (!search_matches(search->root, search->found[i].disk,
                            search->found[i].partition))
            continue;
        windows = &search->found[i];
        matching++;
    }
    if (matching == 1) {
        *ret = windows;
        return 0;
    }
    if (name_all(search, &names, err) < 0)
        return -1;
    if (matching == 0)
        return none_at_root(search->root, &names, err);
    return v2v_fail(
        err, V2V_ERR_GUEST,
        "%zu Windows in %s, in %.*s: say which with --root %s", search->count,
        search->disk_count == 1 ? "one image" : "these images", (int)names.len,
        (const char *)names.data, search->disk_count == 1 ? "N" : "DISK:N");
}

/* The boot configuration of the system disk; if it has none, that of the first
 * disk that has one: the firmware then starts Windows from there. */
static void
take_boot_config(const struct search *search, unsigned system_disk,
                 struct facts *facts)
{
    const struct search_disk *disk = &search->disks[system_disk];
    unsigned index = system_disk;

    for (unsigned i = 0; disk->boot.count == 0 && i < search->disk_count; i++) {
        index = i;
        disk = &search->disks[i];
    }
    if (disk->boot.count == 0)
        return;
    facts->has_bcd = true;
    facts->test_signing = disk->boot.test_signing;
    v2v_fact("facts", "boot configuration on disk %u: testsigning %s",
             index + 1, facts->test_signing ? "on" : "off");
    if (disk->unclean_boot != NULL)
        v2v_warn(
            "facts", "boot-volume-unclean",
            "%s: the boot volume was not unmounted cleanly; its boot "
            "configuration is taken as it was last written",
            guest_place(search->guest, index, disk->unclean_boot->number).text);
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
check_may_write(struct guest *guest, const struct search_windows *windows,
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

int
facts_find_windows(struct guest *guest, const struct facts_root *root,
                   struct facts *facts, struct v2v_error *err)
{
    V2V_AUTO(search)
    struct search search = { .guest = guest, .root = root };
    const struct search_windows *windows = NULL;

    if (search_disks(&search, err) < 0)
        return -1;
    if (search.count == 0)
        return no_windows(&search, err);
    if (choose(&search, &windows, err) < 0 ||
        guest_mount(guest, windows->disk, windows->partition, false, err) < 0)
        return -1;
    if (check_may_write(guest, windows, err) < 0)
        return v2v_fail_in(
            err, "%s",
            guest_place(guest, windows->disk, windows->partition).text);
    take_boot_config(&search, windows->disk, facts);
    facts->disk = windows->disk;
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
facts_load(struct guest *guest, const struct facts_root *root,
           const struct facts_allow *allow, struct facts_hives *hives,
           struct facts *facts, struct v2v_error *err)
{
    if (facts_find_windows(guest, root, facts, err) < 0 ||
        facts_load_hives(guest, facts, allow, hives, err) < 0 ||
        facts_read(hives, facts, err) < 0)
        return -1;
    return list_oem_infs(guest, facts, err);
}
