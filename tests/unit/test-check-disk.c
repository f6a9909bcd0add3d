/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/disk.c, on the disks that mkguest makes and damages. */
#include "test-check-tools.h"

struct disk_case {
    const char *name;
    const char *options; /* of mkguest */
    const char *script;  /* run in its folder; NULL: none.  mkguest and boot
                          * (what a sector starts with) are at hand */
    struct expected expected[MAX_FOUND];
    int partition; /* --root; 0: none */
};

/* boot DISK PARTITION TEXT: the volume's first sector names another file
 * system.  type DISK PARTITION BYTE: the type in the MBR. */
static const char helpers[] =
    "mkguest() { '" SOURCE_DIR "/fixtures/mkguest' \"$@\"; }\n"
    "boot() { s=$(sfdisk -d \"$1\" | sed -n "
    "\"s/^$1$2 *: *start= *\\([0-9]*\\).*/\\1/p\") && "
    "printf -- \"$3\" | dd of=\"$1\" bs=1 seek=$((s * 512 + 3)) conv=notrunc; "
    "}\n"
    "type() { sfdisk -q --part-type \"$1\" \"$2\" \"$3\"; }\n"
    "encrypt() { '" SOURCE_DIR "/tests/tools/tree-encrypt.sh' . \"$@\"; }\n"
    "add() { made=\"../made$*\" && { [ -d \"$made\" ] || "
    "mkguest --tree \"$@\" \"$made\"; } && "
    "cp -a --sparse=always \"$made\" other && mv other/disk0.raw disk1.raw && "
    "for d in other/0-*; do mv \"$d\" \"1-${d#other/0-}\"; done; }\n";

static void
make(const struct disk_case *c)
{
    V2V_AUTO(mem)
    char *command = v2v_format(NULL, "cd guest && {\n%s%s\n}", helpers,
                               c->script != NULL ? c->script : ":");

    make_tree("guest", c->options);
    if (!run(command))
        fail_msg("%s: %s", c->name, c->script);
}

static void
check_case(const struct disk_case *c)
{
    V2V_AUTO(scene) struct scene g = { 0 };
    V2V_AUTO(check_result) struct check_result result = { 0 };

    make(c);
    scene_load("guest", c->partition > 0 ? c->partition : FACTS_ANY, &g);
    run_rules(&(struct check_input){ .guest = g.guest,
                                     .facts = &g.facts,
                                     .hives = &g.hives },
              check_disk_rules, &result);
    assert_findings(c->name, &result, c->expected);
}

#define HIBERNATED                                                             \
    "partition 1: Windows is hibernated, or was shut down with Fast Startup "  \
    "(hiberfil.sys is active)"

static void
test_rows(void **state)
{
    static const struct disk_case cases[] = {
        { "as it is", "", NULL, { { NULL, NULL } }, 0 },
        { "hibernated",
          "--hibernated",
          NULL,
          { { "hibernated", HIBERNATED } },
          0 },
        { "fast startup is one cause",
          "--fast-startup",
          NULL,
          { { "fast-startup", HIBERNATED } },
          0 },
        { "a crash of Windows 8 or later",
          "--fast-startup",
          "rm 0-1/hiberfil.sys",
          { { "journal-v2", "partition 1: Windows was not shut down "
                            "completely (NTFS journal version 2:" } },
          0 },
        { "unclean journal",
          "--unclean-journal",
          NULL,
          { { "journal-unclean", "partition 1: the NTFS journal is " } },
          0 },
        { "dirty",
          "--dirty",
          NULL,
          { { "volume-dirty",
              "partition 1: the NTFS volume is marked dirty" } },
          0 },
        { "dirty and unclean",
          "--dirty --unclean-journal",
          NULL,
          { { "volume-dirty", "partition 1" },
            { "journal-unclean", "partition 1" } },
          0 },
        { "a boot volume that is unclean",
          "--no-boot",
          "add --boot-only --unclean-journal",
          { { "boot-volume-unclean",
              "disk 2, partition 1: the boot volume was not unmounted "
              "cleanly" } },
          0 },
        { "a data volume that is unclean is its own business",
          "",
          "add --no-windows --unclean-journal --dirty",
          { { NULL, NULL } },
          0 },
        { "a volume that cannot be read",
          "--two",
          "boot disk0.raw 2 'NTFS    "
          "\\377\\377'",
          { { "volume-unreadable", "partition 2: " } },
          1 },
        { "no boot configuration",
          "--no-boot",
          NULL,
          { { "no-boot-configuration",
              "there is no BCD that can be read, and no ntldr, on the disk" } },
          0 },
        { "nor on another disk",
          "--no-boot",
          "add --no-windows",
          { { "no-boot-configuration", "on any of the disks" } },
          0 },
        { "an ESP without a fallback loader",
          "--gpt",
          "find . -ipath '*/EFI/Boot/boot*.efi' -delete",
          { { "no-fallback-loader",
              "partition 1: the EFI system partition has no EFI\\Boot\\" } },
          0 },
        { "two Windows, one chosen",
          "--two",
          NULL,
          { { "other-windows",
              "partition 1 has a Windows too, in \\Windows" } },
          2 },
        { "BitLocker beside",
          "--two",
          "boot disk0.raw 2 -FVE-FS-",
          { { "bitlocker-data", "partition 2: BitLocker, " } },
          0 },
        { "an encrypted Windows on another disk",
          "",
          "add --gpt && boot disk1.raw 3 -FVE-FS-",
          { { "bitlocker-beside", "disk 2, partition 3: BitLocker, " } },
          0 },
        { "an encrypted data disk",
          "",
          "add --no-windows && boot disk1.raw 1 -FVE-FS-",
          { { "bitlocker-data", "disk 2, partition 1: BitLocker, " } },
          0 },
        { "a Windows that was opened",
          "",
          "encrypt 1 secret password recovery-password && "
          "echo 'all 0 0 secret' >keys",
          { { NULL, NULL } },
          0 },
        { "one that only its TPM opens by itself",
          "",
          "encrypt 1 secret tpm recovery-password && "
          "echo 'all 0 0 secret' >keys",
          { { "bitlocker-tpm", "TPM, recovery password): Windows will ask for "
                               "the recovery key, whose ID is " } },
          0 },
        { "data that was not opened",
          "--two",
          "encrypt 2 secret password && echo 'all 0 0 wrong' >keys",
          { { "bitlocker-data", "MiB; none of the keys for it opens it" } },
          1 },
        { "a dynamic disk",
          "",
          "add --two && type disk1.raw 1 42 && "
          "type disk1.raw 2 42",
          { { "dynamic-disk-beside",
              "disk 2, partition 1: dynamic disk (LDM)," } },
          0 },
        { "storage spaces",
          "",
          "add --gpt && type disk1.raw 3 "
          "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D",
          { { "storage-spaces-beside", "disk 2, partition 3: " } },
          0 },
        { "ReFS",
          "",
          "add --no-windows && boot disk1.raw 1 "
          "'ReFS\\0\\0\\0\\0'",
          { { "refs-beside", "disk 2, partition 1: ReFS, " } },
          0 },
        { "a full volume",
          "--full",
          NULL,
          { { "volume-full", "partition 1: 8 KiB are free and at least 4096 "
                             "KiB are needed" } },
          0 },
        { "a nearly full volume",
          "--size 64",
          "head -c 40000000 /dev/zero "
          ">0-1/pagefile.sys",
          { { "volume-nearly-full", " MiB are free; drivers and their copies "
                                    "may take 32" } },
          0 },
        { "a folder that is elsewhere",
          "",
          "cd 0-1/Windows/System32 && mv DriverStore .. && "
          "ln -s ../DriverStore .",
          { { "folder-redirected",
              "partition 1: Windows/System32/DriverStore/FileRepository leads "
              "through a reparse point" } },
          0 },
        { "drivers that are elsewhere are not packed",
          "",
          "cd 0-1/Windows/System32 && mv drivers .. && ln -s ../drivers .",
          { { "folder-redirected",
              "partition 1: Windows/System32/drivers leads through a reparse "
              "point" } },
          0 },
        { "a boot configuration that is damaged",
          "",
          "echo no hive >0-1/Boot/BCD",
          { { "no-boot-configuration",
              "there is no BCD that can be read, and no ntldr, on the disk" } },
          0 },
        { "CompactOS",
          "",
          "ln -sf x 0-1/Windows/System32/drivers/disk.sys",
          { { "compact-os",
              "partition 1: Windows/System32/drivers/disk.sys is a reparse "
              "point" } },
          0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* With a driver medium the drivers that would be added are what has to fit. */
static void
test_room_for_drivers(void **state)
{
    static const struct {
        size_t mib; /* of drivers */
        struct expected expected[MAX_FOUND];
    } cases[] = {
        { 1, { { NULL, NULL } } },
        { 60, { { "volume-nearly-full", "may take 124" } } },
        { 90, { { "volume-full", "at least 96264 KiB are needed" } } },
    };
    V2V_AUTO(scene) struct scene g = { 0 };
    static const struct disk_case plain = { .name = "room",
                                            .options = "--size 96" };

    (void)state;
    make(&plain);
    scene_load("guest", FACTS_ANY, &g);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct driver_file file = { .data.len = cases[i].mib << 20 };
        struct driver_package package = { .files = &file, .file_count = 1 };
        const struct drivers_choice choice = { .items = &package, .count = 1 };
        V2V_AUTO(check_result) struct check_result result = { 0 };

        run_rules(&(struct check_input){ .guest = g.guest,
                                         .facts = &g.facts,
                                         .hives = &g.hives,
                                         .choice = &choice },
                  check_disk_rules, &result);
        assert_findings("room", &result, cases[i].expected);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_room_for_drivers),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
