/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disks as the guest has them: the state of their volumes, what starts
 * Windows, what else is there, and the room for drivers. */
#include <inttypes.h>

#include "check/internal.h"

enum { max_text = 160 };

static struct guest_place
place_of(const struct check *check, const struct facts_volume *v)
{
    return guest_place(check->in->guest, v->disk, v->place.number);
}

static const struct facts_volume *
system_volume(const struct check *check)
{
    return &check->in->facts->volumes[check->in->facts->system_volume];
}

/* State of the volumes ---------------------------------------------------- */

static int
hibernated(struct check *check, struct v2v_error *err)
{
    const struct facts_volume *v = system_volume(check);

    if (!check->in->facts->hibernated)
        return 0;
    /* both write hiberfil.sys; which of them it was is not told apart when the
     * journal is closed */
    return check_found(
        check,
        v->state.journal == NTFS_JOURNAL_V2 ? "fast-startup" : "hibernated",
        err,
        "%s: Windows is hibernated, or was shut down with Fast Startup "
        "(hiberfil.sys is active)",
        place_of(check, v).text);
}

static int
volume_dirty(struct check *check, struct v2v_error *err)
{
    const struct facts_volume *v = system_volume(check);

    return v->state.dirty ? check_found(check, "volume-dirty", err,
                                        "%s: the NTFS volume is marked dirty",
                                        place_of(check, v).text)
                          : 0;
}

/* A hibernated Windows leaves its journal open: that is one cause. */
static int
journal_open(struct check *check, struct v2v_error *err)
{
    const struct facts_volume *v = system_volume(check);
    const struct guest_place place = place_of(check, v);

    if (check->in->facts->hibernated)
        return 0;
    switch (v->state.journal) {
    case NTFS_JOURNAL_CLEAN:
    case NTFS_JOURNAL_EMPTY:
        return 0;
    case NTFS_JOURNAL_V2:
        return check_found(check, "journal-v2", err,
                           "%s: Windows was not shut down completely (NTFS "
                           "journal version 2: Fast Startup, hibernation or a "
                           "crash)",
                           place.text);
    case NTFS_JOURNAL_UNCLEAN:
    case NTFS_JOURNAL_UNREADABLE:
        break;
    }
    return check_found(check, "journal-unclean", err,
                       "%s: the NTFS journal is %s: the volume was not "
                       "unmounted cleanly",
                       place.text, ntfs_journal_name(v->state.journal));
}

static bool
is_clean(const struct ntfs_state *state)
{
    return !state->dirty && (state->journal == NTFS_JOURNAL_CLEAN ||
                             state->journal == NTFS_JOURNAL_EMPTY);
}

static int
boot_volume_unclean(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;
    const struct facts_volume *v;

    if (facts->boot_volume == FACTS_NO_VOLUME ||
        facts->boot_volume == facts->system_volume)
        return 0;
    v = &facts->volumes[facts->boot_volume];
    if (v->place.content != DISK_NTFS || is_clean(&v->state))
        return 0;
    return check_found(check, "boot-volume-unclean", err,
                       "%s: the boot volume was not unmounted cleanly; its "
                       "boot configuration is taken as it was last written",
                       place_of(check, v).text);
}

static int
volumes_unreadable(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;

    for (size_t i = 0; i < facts->volume_count; i++) {
        const char *why = facts->volumes[i].unreadable;

        if (why != NULL && check_found(check, "volume-unreadable", err, "%.*s",
                                       v2v_cut(why, max_text), why) < 0)
            return -1;
    }
    return 0;
}

/* What starts Windows ----------------------------------------------------- */

static int
no_boot_configuration(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;

    if (facts->boot_volume != FACTS_NO_VOLUME)
        return 0;
    return check_found(check, "no-boot-configuration", err,
                       "there is no BCD that can be read, and no ntldr, on %s",
                       facts->disk_count == 1 ? "the disk"
                                              : "any of the disks");
}

/* The NVRAM that names \EFI\Microsoft\Boot\bootmgfw.efi stays behind with the
 * old machine; new firmware tries \EFI\Boot\bootx64.efi (UEFI 2.10, 3.5.1.1).
 */
static int
no_fallback_loader(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;
    const struct facts_volume *v;

    if (facts->boot_volume == FACTS_NO_VOLUME)
        return 0;
    v = &facts->volumes[facts->boot_volume];
    if (!v->place.esp || v->fallback_loader)
        return 0;
    return check_found(check, "no-fallback-loader", err,
                       "%s: the EFI system partition has no EFI\\Boot\\"
                       "bootx64.efi, bootia32.efi or bootaa64.efi",
                       place_of(check, v).text);
}

/* What else is there ------------------------------------------------------ */

static int
other_windows(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;

    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *v = &facts->volumes[i];

        if (v->system_root == NULL || i == facts->system_volume)
            continue;
        if (check_found(check, "other-windows", err,
                        "%s has a Windows too, in \\%.*s",
                        place_of(check, v).text,
                        v2v_cut(v->system_root, max_text), v->system_root) < 0)
            return -1;
    }
    return 0;
}

/* Does the firmware find something to start on that disk? */
static bool
is_started(const struct facts *facts, unsigned disk)
{
    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *v = &facts->volumes[i];

        if (v->disk == disk && (v->boot_manager || v->bcd || v->nt_loader))
            return true;
    }
    return false;
}

/* An encrypted volume on a disk that starts a Windows of its own is probably
 * that Windows. */
static const char *
code_of(const struct facts *facts, const struct facts_volume *v)
{
    switch (v->place.content) {
    case DISK_BITLOCKER:
        return v->disk != facts->disk && is_started(facts, v->disk)
                   ? "bitlocker-beside"
                   : "bitlocker-data";
    case DISK_LDM:
        return "dynamic-disk-beside";
    case DISK_STORAGE_SPACES:
        return "storage-spaces-beside";
    case DISK_REFS:
        return "refs-beside";
    default:
        return NULL;
    }
}

/* One finding a disk and kind: a dynamic disk has a partition for its database
 * beside those for data. */
static bool
is_said(const struct facts *facts, size_t i)
{
    const struct facts_volume *v = &facts->volumes[i];

    for (size_t k = 0; v->place.content == DISK_LDM && k < i; k++)
        if (facts->volumes[k].disk == v->disk &&
            facts->volumes[k].place.content == DISK_LDM)
            return true;
    return false;
}

static int
volumes_beside(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;

    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *v = &facts->volumes[i];
        const char *code = code_of(facts, v);

        if (code == NULL || is_said(facts, i))
            continue;
        if (check_found(check, code, err, "%s: %s, %" PRIu64 " MiB%s",
                        place_of(check, v).text,
                        disk_content_name(v->place.content), v->place.len >> 20,
                        v->lock == GUEST_KEY_WRONG
                            ? "; none of the keys for it opens it"
                            : "") < 0)
            return -1;
    }
    return 0;
}

/* What the TPM keeps is for the machine that it is in: Windows cannot get it
 * from another one, nor from one that is emulated, and asks for the recovery
 * key. Source: Microsoft, "BitLocker recovery overview", which has "Moving a
 * BitLocker-protected drive into a new computer" among what starts a recovery.
 */
static int
bitlocker_tpm(struct check *check, struct v2v_error *err)
{
    const struct facts_volume *v = system_volume(check);

    if (!v->encrypted || !v->keys.needs_tpm)
        return 0;
    return check_found(check, "bitlocker-tpm", err,
                       "%s: besides a recovery password, only the TPM of the "
                       "machine that it leaves can open it (its BitLocker key "
                       "is protected by: %s): Windows will ask for the "
                       "recovery key%s%s",
                       place_of(check, v).text, v->keys.protectors,
                       v->keys.recovery.text[0] != '\0' ? ", whose ID is " : "",
                       v->keys.recovery.text);
}

/* Room -------------------------------------------------------------------- */

/* An injection takes no less: apply_check_space() asks for @reserve, and for
 * each file at least once its size and a bit.  That each file of a driver is
 * copied to the store and to where it runs makes it about twice that. */
static const uint64_t reserve = 4 << 20;
static const uint64_t per_file = 8192;

/* What all of virtio-win's drivers for one Windows take, and their copies: an
 * injection writes some 20 MiB. */
static const uint64_t roomy = 32 << 20;

static uint64_t
size_of(const struct drivers_choice *choice)
{
    uint64_t size = 0;

    for (size_t i = 0; choice != NULL && i < choice->count; i++)
        for (size_t k = 0; k < choice->items[i].file_count; k++)
            size += choice->items[i].files[k].data.len + per_file;
    return size;
}

static int
free_space(struct check *check, struct v2v_error *err)
{
    uint64_t files = size_of(check->in->choice), available;
    uint64_t enough = check->in->choice != NULL ? reserve + 2 * files : roomy;
    const struct guest_place place = place_of(check, system_volume(check));

    if (guest_free_space(check->in->guest, &available, err) < 0)
        return -1;
    if (available >= enough)
        return 0;
    if (available < reserve + files)
        return check_found(check, "volume-full", err,
                           "%s: %" PRIu64 " KiB are free and at least %" PRIu64
                           " KiB are needed",
                           place.text, available >> 10,
                           (reserve + files) >> 10);
    return check_found(check, "volume-nearly-full", err,
                       "%s: %" PRIu64 " MiB are free; drivers and their copies "
                       "may take %" PRIu64,
                       place.text, available >> 20, enough >> 20);
}

/* Reparse points ---------------------------------------------------------- */

/* Where an injection writes, below the system root; that INF is one was seen
 * when its names were read. */
static const char *const folders[] = {
    "System32/drivers",
    "System32/DriverStore/FileRepository",
    "System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}",
};

/* Files that stand for all of the system: CompactOS packs each of them, in a
 * stream that only Windows (Wof.sys) reads. */
static const char *const system_files[] = {
    "System32/ntoskrnl.exe",
    "System32/drivers/disk.sys",
    "System32/drivers/storport.sys",
};

enum reparse { REPARSE_NOT, REPARSE_POINT, REPARSE_ABOVE };

/* Is @name below the system root a reparse point, or behind one?  One of enum
 * reparse, or -1. */
static int
find_reparse(struct check *check, const char *name, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path = v2v_format(err, "%s/%s", check->in->facts->system_root, name);
    struct v2v_error why = { 0 };
    struct guest_stat st;

    if (path == NULL)
        return -1;
    if (guest_stat(check->in->guest, path, &st, &why) == 0)
        return st.reparse ? REPARSE_POINT : REPARSE_NOT;
    if (why.code == V2V_ERR_GUEST)
        return REPARSE_ABOVE;
    *err = why;
    return -1;
}

static int
folders_redirected(struct check *check, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int reparse = find_reparse(check, folders[i], err);

        if (reparse < 0 ||
            (reparse != REPARSE_NOT &&
             check_found(check, "folder-redirected", err,
                         "%s: %s/%s leads through a reparse point",
                         place_of(check, system_volume(check)).text,
                         check->in->facts->system_root, folders[i]) < 0))
            return -1;
    }
    return 0;
}

static int
compact_os(struct check *check, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof system_files / sizeof *system_files; i++) {
        int reparse = find_reparse(check, system_files[i], err);

        if (reparse < 0)
            return -1;
        if (reparse == REPARSE_POINT)
            return check_found(check, "compact-os", err,
                               "%s: %s/%s is a reparse point",
                               place_of(check, system_volume(check)).text,
                               check->in->facts->system_root, system_files[i]);
    }
    return 0;
}

const check_rule check_disk_rules[] = {
    hibernated,         volume_dirty,
    journal_open,       free_space,
    folders_redirected, boot_volume_unclean,
    volumes_unreadable, no_boot_configuration,
    no_fallback_loader, other_windows,
    volumes_beside,     bitlocker_tpm,
    compact_os,         NULL,
};
