/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/find.h"

#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "facts/search.h"

/* Is it the volume, or one of those, that @root names? */
static bool
matches(const struct facts_root *root, const struct facts_volume *volume)
{
    return (root->disk == FACTS_ANY || root->disk == (int)volume->disk) &&
           (root->partition < 0 ||
            root->partition == (int)volume->place.number);
}

static const struct facts_root any = { FACTS_ANY, FACTS_ANY };

static size_t
count_windows(const struct facts *facts, const struct facts_root *root)
{
    size_t count = 0;

    for (size_t i = 0; i < facts->volume_count; i++)
        count += facts->volumes[i].system_root != NULL &&
                 matches(root, &facts->volumes[i]);
    return count;
}

/* Why there is none ------------------------------------------------------ */

static int
refuse_disk(const struct facts_disk *disk, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_FORMAT, "disk-unreadable", "%s",
                      disk->unreadable);
}

/* cryptsetup opens no volume whose protection is suspended, whatever the key.
 * Source: cryptsetup 2.6.1, lib/bitlk/bitlk.c, _activate_check(). */
static const char *
finding_of_unreadable(const struct facts_volume *volume)
{
    if (!volume->encrypted || volume->lock == GUEST_UNLOCKED)
        return "windows-unreadable";
    return volume->keys.state == BITLOCKER_CLEAR_KEY ? "bitlocker-suspended"
                                                     : "bitlocker-unreadable";
}

static int
refuse_volume(const struct facts_volume *volume, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_GUEST, finding_of_unreadable(volume),
                      "no Windows found, and one volume cannot be read: %s",
                      volume->unreadable);
}

static const struct {
    enum disk_content content;
    const char *finding;
} hiding[] = {
    { DISK_BITLOCKER, "bitlocker-locked" },
    { DISK_LDM, "dynamic-disk" },
    { DISK_STORAGE_SPACES, "storage-spaces" },
    { DISK_REFS, "refs" },
};

/* What a Windows in it would be refused for, or NULL. */
static const char *
finding_of(const struct facts_volume *volume)
{
    for (size_t i = 0; i < sizeof hiding / sizeof *hiding; i++)
        if (hiding[i].content == volume->place.content)
            return hiding[i].finding;
    return NULL;
}

static int
refuse_hidden(struct guest *guest, const struct facts_volume *volume,
              struct v2v_error *err)
{
    return v2v_refuse(
        err, V2V_ERR_GUEST, finding_of(volume),
        "no Windows found, and %s is %s, which cannot be read",
        guest_place(guest, volume->disk, volume->place.number).text,
        disk_content_name(volume->place.content));
}

/* Windows asks for a recovery key, and a directory has it, by this. */
struct recovery {
    char text[64];
};

static struct recovery
name_recovery(const struct bitlocker *keys)
{
    struct recovery name = { "" };

    if (keys->recovery.text[0] != '\0')
        snprintf(name.text, sizeof name.text, " (recovery key ID %s)",
                 keys->recovery.text);
    return name;
}

/* Suspended: without the keys' owner it could be decrypted, but not by us. */
static int
refuse_bitlocker(struct guest *guest, const struct facts_volume *volume,
                 struct v2v_error *err)
{
    const struct guest_place place =
        guest_place(guest, volume->disk, volume->place.number);
    const struct bitlocker *keys = &volume->keys;
    const struct recovery recovery = name_recovery(keys);

    if (volume->lock == GUEST_KEY_WRONG)
        return v2v_refuse(
            err, V2V_ERR_GUEST, "bitlocker-key-wrong",
            "no Windows found in what can be read: none of the "
            "keys for %s opens it; its BitLocker key is protected by: %s%s",
            place.text, keys->protectors, recovery.text);
    if (keys->state == BITLOCKER_UNKNOWN)
        return refuse_hidden(guest, volume, err);
    if (keys->state == BITLOCKER_LOCKED)
        return v2v_refuse(err, V2V_ERR_GUEST, "bitlocker-locked",
                          "no Windows found, and %s is encrypted with "
                          "BitLocker; its key is protected by: %s%s",
                          place.text, keys->protectors, recovery.text);
    return v2v_refuse(err, V2V_ERR_GUEST, "bitlocker-suspended",
                      "no Windows found, and %s is encrypted with BitLocker, "
                      "whose protection is suspended, not removed; its key is "
                      "protected by: %s%s",
                      place.text, keys->protectors, recovery.text);
}

/* One that was asked for hides nothing when another one cannot be read. */
static int
check_root(struct guest *guest, const struct facts *facts,
           const struct facts_root *root, struct v2v_error *err)
{
    if (root->disk >= 0 && (size_t)root->disk < facts->disk_count &&
        facts->disks[root->disk].unreadable != NULL)
        return refuse_disk(&facts->disks[root->disk], err);
    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *volume = &facts->volumes[i];

        if (root->partition < 0 || !matches(root, volume))
            continue;
        if (volume->unreadable != NULL)
            return refuse_volume(volume, err);
        if (volume->lock == GUEST_KEY_WRONG)
            return refuse_bitlocker(guest, volume, err);
    }
    return 0;
}

/* What comes first is the likelier place of one. */
static int
no_windows(struct guest *guest, const struct facts *facts,
           struct v2v_error *err)
{
    for (size_t i = 0; i < facts->volume_count; i++)
        if (facts->volumes[i].unreadable != NULL)
            return refuse_volume(&facts->volumes[i], err);
    for (size_t i = 0; i < facts->volume_count; i++)
        if (finding_of(&facts->volumes[i]) != NULL)
            return facts->volumes[i].place.content == DISK_BITLOCKER
                       ? refuse_bitlocker(guest, &facts->volumes[i], err)
                       : refuse_hidden(guest, &facts->volumes[i], err);
    for (size_t i = 0; i < facts->disk_count; i++)
        if (facts->disks[i].unreadable != NULL)
            return refuse_disk(&facts->disks[i], err);
    return v2v_refuse(err, V2V_ERR_GUEST, "no-windows",
                      "no Windows found in %zu partition(s): no NTFS volume "
                      "has System32\\config\\SYSTEM and SOFTWARE",
                      facts->volume_count);
}

/* Which it is ------------------------------------------------------------ */

/* "partition 1", or "partitions 1, 2"; with several disks as --root calls
 * them: "partitions 1:1, 2:1". */
static int
name_all(const struct facts *facts, struct v2v_bytes *ret,
         struct v2v_error *err)
{
    const char *before =
        count_windows(facts, &any) == 1 ? "partition " : "partitions ";

    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *volume = &facts->volumes[i];

        if (volume->system_root == NULL)
            continue;
        if (facts->disk_count == 1
                ? v2v_bytes_printf(ret, err, "%s%u", before,
                                   volume->place.number) < 0
                : v2v_bytes_printf(ret, err, "%s%u:%u", before,
                                   volume->disk + 1, volume->place.number) < 0)
            return -1;
        before = ", ";
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

static int
several_windows(const struct facts *facts, const struct v2v_bytes *names,
                struct v2v_error *err)
{
    bool one = facts->disk_count == 1;

    return v2v_refuse(err, V2V_ERR_GUEST, "several-windows",
                      "multi-boot: %zu Windows in %s, in %.*s (%s)",
                      count_windows(facts, &any),
                      one ? "one image" : "these images", (int)names->len,
                      (const char *)names->data,
                      one ? "--root N" : "--root DISK:N");
}

/* The one at @root, of those that were found. */
static int
choose(const struct facts_root *root, struct facts *facts,
       struct v2v_error *err)
{
    size_t count = count_windows(facts, root);
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };

    if (count != 1 && name_all(facts, &names, err) < 0)
        return -1;
    if (count == 0)
        return none_at_root(root, &names, err);
    if (count > 1 && root->partition != FACTS_FIRST)
        return several_windows(facts, &names, err);
    facts->system_volume = 0;
    while (facts->volumes[facts->system_volume].system_root == NULL ||
           !matches(root, &facts->volumes[facts->system_volume]))
        facts->system_volume++;
    return 0;
}

/* What starts it --------------------------------------------------------- */

static bool
is_started_by_firmware(const struct facts *facts,
                       const struct facts_volume *volume)
{
    return facts->disks[volume->disk].table == DISK_TABLE_GPT
               ? volume->place.esp
               : volume->place.active;
}

/* Is Windows started from @a rather than from @b, which is before it?  A
 * system disk with a boot configuration has the one that counts; if it has
 * none, the firmware starts Windows from another disk. */
static bool
is_likelier(const struct facts *facts, const struct facts_volume *a,
            const struct facts_volume *b)
{
    bool a_starts = is_started_by_firmware(facts, a);

    if (a->disk != b->disk && a->bcd == b->bcd)
        return a->disk == facts->disk;
    if (a->bcd != b->bcd)
        return a->bcd;
    if (a_starts != is_started_by_firmware(facts, b))
        return a_starts;
    return a == &facts->volumes[facts->system_volume];
}

static size_t
find_boot_volume(const struct facts *facts)
{
    const struct facts_volume *volumes = facts->volumes;
    size_t best = FACTS_NO_VOLUME;

    for (size_t i = 0; i < facts->volume_count; i++)
        if ((volumes[i].bcd || volumes[i].nt_loader) &&
            (best == FACTS_NO_VOLUME ||
             is_likelier(facts, &volumes[i], &volumes[best])))
            best = i;
    return best;
}

/* With several on one disk, only what all say can be relied on. */
static void
take_boot_config(struct facts *facts)
{
    const struct facts_volume *boot;

    facts->boot_volume = find_boot_volume(facts);
    if (facts->boot_volume == FACTS_NO_VOLUME)
        return;
    boot = &facts->volumes[facts->boot_volume];
    facts->has_bcd = facts->test_signing = boot->bcd;
    for (size_t i = 0; i < facts->volume_count; i++)
        if (facts->volumes[i].bcd && facts->volumes[i].disk == boot->disk)
            facts->test_signing &= facts->volumes[i].test_signing;
    v2v_fact("facts", "started from disk %u, partition %u: testsigning %s",
             boot->disk + 1, boot->place.number,
             facts->test_signing ? "on" : "off");
}

/* The signatures that a hibernated Windows has at the start of hiberfil.sys,
 * Fast Startup included.  Source: man ntfs-3g, "Windows hibernation and fast
 * restarting"; "wake" and zeroes are what a resumed Windows leaves.  It
 * hibernates into a plain file only. */
static int
find_hibernation(struct guest *guest, bool *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes head = { 0 };

    if (guest_head(guest, "hiberfil.sys", 4, &head, err) < 0)
        return err->code == V2V_ERR_NOT_FOUND || err->code == V2V_ERR_GUEST
                   ? 0
                   : -1;
    *ret =
        head.len == 4 && strncasecmp((const char *)head.data, "hibr", 4) == 0;
    return 0;
}

static int
take_system_volume(struct guest *guest, struct facts *facts,
                   struct v2v_error *err)
{
    const struct facts_volume *volume = &facts->volumes[facts->system_volume];

    facts->disk = volume->disk;
    facts->partition = volume->place.number;
    facts->system_root = v2v_strdup(volume->system_root, err);
    if (facts->system_root == NULL ||
        guest_mount(guest, facts->disk, facts->partition, false, err) < 0)
        return -1;
    if (find_hibernation(guest, &facts->hibernated, err) < 0)
        return v2v_fail_in(
            err, "%s", guest_place(guest, facts->disk, facts->partition).text);
    return 0;
}

int
facts_find_windows(struct guest *guest, const struct facts_root *root,
                   struct facts *facts, struct v2v_error *err)
{
    facts->system_volume = facts->boot_volume = FACTS_NO_VOLUME;
    if (facts_search(guest, facts, err) < 0 ||
        check_root(guest, facts, root, err) < 0)
        return -1;
    if (count_windows(facts, &any) == 0)
        return no_windows(guest, facts, err);
    if (choose(root, facts, err) < 0 ||
        take_system_volume(guest, facts, err) < 0)
        return -1;
    take_boot_config(facts);
    return 0;
}

/* Not there, not a folder, or behind a reparse point. */
static int
name_no_folder(struct v2v_error *err)
{
    if (err->code == V2V_ERR_NOT_FOUND)
        err->code = V2V_ERR_GUEST;
    if (err->code == V2V_ERR_GUEST)
        v2v_error_name(err, "folder-redirected");
    return -1;
}

/* An oemN.inf that lies in Windows\INF is taken, whatever the registry says. */
static int
list_oem_infs(struct guest *guest, struct facts *facts, struct v2v_error *err)
{
    V2V_AUTO(mem) char *dir = v2v_format(err, "%s/INF", facts->system_root);
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (dir == NULL)
        return -1;
    if (guest_list(guest, dir, &names, err) < 0)
        return name_no_folder(err);
    for (size_t i = 0; i < names.count; i++)
        if (facts_oem_number(names.items[i]) >= 0 &&
            !v2v_strings_has_nocase(&facts->oem_infs, names.items[i]) &&
            v2v_strings_add(&facts->oem_infs, names.items[i], err) < 0)
            return -1;
    return 0;
}

/* A hibernated Windows has the rest of its hives in memory: one that is damaged
 * on the disk is not damaged for itself. */
static int
blame_hibernation(const struct facts *facts, struct v2v_error *err)
{
    if (!facts->hibernated || err->code != V2V_ERR_FORMAT)
        return -1;
    err->code = V2V_ERR_GUEST;
    v2v_error_name(err, "hibernated");
    return v2v_fail_in(err, "Windows is hibernated");
}

int
facts_load(struct guest *guest, const struct facts_root *root,
           struct facts_hives *hives, struct facts *facts,
           struct v2v_error *err)
{
    if (facts_find_windows(guest, root, facts, err) < 0)
        return -1;
    if (facts_load_hives(guest, facts, hives, err) < 0 ||
        facts_read(hives, facts, err) < 0)
        return blame_hibernation(facts, err);
    return list_oem_infs(guest, facts, err);
}
