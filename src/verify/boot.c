/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/internal.h"

/* Where the firmware begins. */
struct start {
    unsigned disk;
    enum disk_table table;
    char *subject;                     /* "disk 1" */
    const struct facts_volume *volume; /* of the boot manager; NULL: none */
};

static const struct facts_volume *
system_volume(const struct facts *facts)
{
    return &facts->volumes[facts->system_volume];
}

/* The disk with the boot files that facts/ found, else the system's. */
static void
find_disk(const struct facts *facts, struct start *start)
{
    start->disk = facts->boot_volume != FACTS_NO_VOLUME
                      ? facts->volumes[facts->boot_volume].disk
                      : facts->disk;
    start->table = facts->disks[start->disk].table;
}

/* Windows boots from a GPT through UEFI only, and from an MBR through a BIOS
 * only.  Source: Microsoft, "Windows and GPT FAQ"; "UEFI/GPT-based hard drive
 * partitions". */
static int
check_firmware(struct verify *v, const struct start *start,
               struct v2v_error *err)
{
    const struct domain_machine *machine = v->in->machine;
    enum domain_firmware wanted = start->table == DISK_TABLE_GPT
                                      ? DOMAIN_FIRMWARE_EFI
                                      : DOMAIN_FIRMWARE_BIOS;
    const char *table = disk_table_name(start->table);

    if (machine == NULL)
        return verify_unknown(v, "firmware", start->subject, err,
                              "partition table %s; no domain XML was given",
                              table);
    if (machine->firmware == DOMAIN_FIRMWARE_UNKNOWN)
        return verify_unknown(v, "firmware", start->subject, err,
                              "partition table %s; the domain XML does not "
                              "tell the firmware",
                              table);
    if (machine->firmware == wanted)
        return verify_holds(v, "firmware", start->subject, err,
                            "partition table %s, firmware %s", table,
                            wanted == DOMAIN_FIRMWARE_EFI ? "UEFI" : "BIOS");
    return verify_found(v,
                        wanted == DOMAIN_FIRMWARE_EFI ? "firmware-needs-efi"
                                                      : "firmware-needs-bios",
                        start->subject, err,
                        "partition table %s, and the machine has %s", table,
                        wanted == DOMAIN_FIRMWARE_EFI ? "a BIOS" : "UEFI");
}

static bool
has_loader(const struct facts_volume *volume)
{
    return volume->boot_manager || volume->nt_loader;
}

/* The ESP of the disk; of several the one that has a boot manager. */
static const struct facts_volume *
find_esp(const struct facts *facts, unsigned disk)
{
    const struct facts_volume *found = NULL;

    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *volume = &facts->volumes[i];

        if (volume->disk == disk && volume->place.esp &&
            (found == NULL || (!found->boot_manager && volume->boot_manager)))
            found = volume;
    }
    return found;
}

static int
check_esp(struct verify *v, struct start *start, struct v2v_error *err)
{
    const struct facts_volume *esp = find_esp(v->in->facts, start->disk);

    if (esp == NULL)
        return verify_found(v, "no-esp", start->subject, err,
                            "no partition of it is an EFI system partition");
    start->volume = esp;
    return verify_holds(
        v, "boot-partition", start->subject, err, "EFI system partition: %s",
        guest_place(v->in->guest, esp->disk, esp->place.number).text);
}

/* What the code of an MBR looks at: the active flags. */
struct flags {
    unsigned active;                  /* how many partitions */
    const struct facts_volume *first; /* of those */
    const struct facts_volume *other; /* not active, with a loader */
};

static struct flags
read_flags(const struct facts *facts, unsigned disk)
{
    struct flags flags = { 0 };

    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *volume = &facts->volumes[i];

        if (volume->disk != disk)
            continue;
        if (volume->place.active && flags.active++ == 0)
            flags.first = volume;
        else if (!volume->place.active && has_loader(volume))
            flags.other = volume;
    }
    return flags;
}

static int
check_active(struct verify *v, struct start *start, struct v2v_error *err)
{
    const struct flags flags = read_flags(v->in->facts, start->disk);
    struct guest_place first;

    if (flags.active == 0)
        return verify_found(v, "no-active-partition", start->subject, err,
                            "none of its partitions is active");
    first =
        guest_place(v->in->guest, flags.first->disk, flags.first->place.number);
    if (flags.active > 1)
        return verify_found(v, "several-active-partitions", start->subject, err,
                            "%u of its partitions are active, %s first",
                            flags.active, first.text);
    /* an active partition of another system may have a boot manager of its own
     */
    if (!has_loader(flags.first) && flags.first->unreadable == NULL &&
        flags.first->place.content == DISK_NTFS && flags.other != NULL)
        return verify_found(v, "wrong-active-partition", start->subject, err,
                            "%s is active, and the boot manager is in %s",
                            first.text,
                            guest_place(v->in->guest, flags.other->disk,
                                        flags.other->place.number)
                                .text);
    start->volume = flags.first;
    return verify_holds(v, "boot-partition", start->subject, err, "active: %s",
                        first.text);
}

static int
check_partition(struct verify *v, struct start *start, struct v2v_error *err)
{
    if (start->table == DISK_TABLE_GPT)
        return check_esp(v, start, err);
    if (start->table == DISK_TABLE_MBR)
        return check_active(v, start, err);
    start->volume = system_volume(v->in->facts);
    return verify_unknown(v, "boot-partition", start->subject, err,
                          "it has no partition table: whether the firmware "
                          "starts it is not known");
}

/* UEFI keeps the way to bootmgfw.efi in its variables, which stay with the old
 * machine; a new one knows the fallback path only.
 * Source: UEFI 2.10, 3.5.1.1. */
static int
check_fallback(struct verify *v, const struct facts_volume *volume,
               const char *place, struct v2v_error *err)
{
    if (!volume->place.esp)
        return 0;
    if (volume->fallback_loader)
        return verify_holds(v, "fallback-loader", place, err,
                            "a loader is in EFI\\Boot");
    return verify_found(v, "fallback-loader-missing", place, err,
                        "EFI\\Boot has no bootx64.efi, bootia32.efi or "
                        "bootaa64.efi: a machine without the old one's boot "
                        "entry finds nothing");
}

/* What the firmware or the boot sector loads, and what that is told. */
static int
check_loader(struct verify *v, const struct facts_volume *volume,
             struct v2v_error *err)
{
    const struct guest_place place =
        guest_place(v->in->guest, volume->disk, volume->place.number);
    bool old = v->in->facts->target.major < 6;

    if (volume->unreadable != NULL ||
        (!volume->place.esp && volume->place.content != DISK_NTFS))
        return verify_unknown(v, "boot-manager", place.text, err, "%s",
                              volume->unreadable != NULL
                                  ? volume->unreadable
                                  : "only NTFS and EFI system partitions are "
                                    "looked into");
    if (old && volume->nt_loader)
        return verify_boot_ini(v, volume, err);
    if (!volume->boot_manager) {
        if (verify_found(v, old ? "nt-loader-missing" : "boot-manager-missing",
                         place.text, err, "there is no %s in it",
                         volume->place.esp
                             ? "EFI\\Microsoft\\Boot\\bootmgfw.efi"
                         : old ? "ntldr"
                               : "bootmgr") < 0)
            return -1;
        return verify_unknown(v, "bcd", place.text, err,
                              "see boot-manager: nothing reads it");
    }
    if (verify_holds(v, "boot-manager", place.text, err,
                     "the boot manager is there") < 0 ||
        check_fallback(v, volume, place.text, err) < 0)
        return -1;
    return verify_bcd(v, volume, err);
}

static int
check_start(struct verify *v, struct start *start, struct v2v_error *err)
{
    if (check_firmware(v, start, err) < 0 || check_partition(v, start, err) < 0)
        return -1;
    if (start->volume != NULL)
        return check_loader(v, start->volume, err);
    return verify_unknown(v, "boot-manager", start->subject, err,
                          "see boot-partition: no partition is started");
}

static int
check_kernel(struct verify *v, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path =
        v2v_format(err, "%s/System32/ntoskrnl.exe", v->in->facts->system_root);
    int found = path == NULL ? -1 : verify_has_content(v, path, err);

    if (found < 0)
        return -1;
    return found > 0 ? verify_holds(v, "kernel", path, err, "it is there")
                     : verify_found(v, "kernel-missing", path, err,
                                    "it is not there, or empty");
}

/* Which control sets the loader takes: Default; after a failed boot
 * LastKnownGood; Current is the one that ran last.
 * Source: Microsoft, "HKLM\SYSTEM\CurrentControlSet\Control registry tree". */
static const char *const selects[] = { "Default", "LastKnownGood", "Current" };

/* The control set that Select\@name names: 1 when it exists, 0 or -1. */
static int
find_set(struct verify *v, const char *name, char **ret, struct v2v_error *err)
{
    uint32_t number;

    *ret = NULL;
    if (reg_get_dword(v->system, "Select", name, &number, NULL) < 0)
        return 0;
    *ret = v2v_format(err, "ControlSet%03u", number);
    if (*ret == NULL)
        return -1;
    return reg_has_key(v->system, *ret, NULL) > 0 ? 1 : 0;
}

static bool
has_set(const struct verify *v, const char *name)
{
    for (size_t i = 0; i < v->set_count; i++)
        if (v2v_equal_nocase(v->sets[i].name, name))
            return true;
    return false;
}

static int
add_set(struct verify *v, char **name, bool booted, struct v2v_error *err)
{
    struct verify_control_set *sets =
        reallocarray(v->sets, v->set_count + 1, sizeof *sets);

    if (sets == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    v->sets = sets;
    sets[v->set_count++] =
        (struct verify_control_set){ v2v_steal(*name), booted };
    return 0;
}

static int
check_select(struct verify *v, struct v2v_error *err)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof selects / sizeof *selects;
         i++) {
        V2V_AUTO(mem) char *name = NULL;
        int found = find_set(v, selects[i], &name, err);

        if (found < 0)
            return -1;
        if (found > 0 && !has_set(v, name))
            result = add_set(v, &name, i == 0, err);
        else if (found == 0 && i == 0)
            result = verify_found(
                v, "select-default-missing", "Select", err,
                name == NULL ? "it has no Default"
                             : "its Default names %s, which is not there",
                name);
    }
    if (result < 0 || v->set_count == 0 || !v->sets[0].booted)
        return result;
    return verify_holds(v, "select", "Select", err, "Default: %s",
                        v->sets[0].name);
}

int
verify_boot(struct verify *v, struct v2v_error *err)
{
    struct start start = { 0 };
    int result;

    find_disk(v->in->facts, &start);
    start.subject = v2v_format(err, "disk %u", start.disk + 1);
    if (start.subject == NULL)
        return -1;
    result = check_start(v, &start, err);
    free(start.subject);
    return result < 0 || check_kernel(v, err) < 0 || check_select(v, err) < 0
               ? -1
               : 0;
}
