/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/test-tools.h"
#include "facts/find.h"
#include "guest/guest.h"
#include "image/image.h"

/* Machines of several disks, one appliance a machine.  Their images come from
 * fixtures/mkguest; as in the program the appliance gets overlays of them. */

static const char *const recipes[] = {
    /* System Reserved; a Windows without one of its own; one with an ESP */
    "mkguest --boot-only --unclean-journal boot",
    "mkguest --no-boot windows",
    "mkguest --gpt --no-testsigning uefi",
    "mkguest --no-boot --fast-startup asleep",
    /* an ESP and a data volume; a data volume that was not unmounted */
    "mkguest --gpt --no-windows esp",
    "mkguest --no-windows --fast-startup data",
    /* what only Windows can read, or nobody */
    "qemu-img create -q -f qcow2 blank 1M",
    ("truncate -s 8M dynamic.raw && "
     "echo 'start=2048, type=42' | sfdisk -q -X dos dynamic.raw && "
     "qemu-img convert -f raw -O qcow2 dynamic.raw dynamic"),
    ("mkbitlocker bitlocker.raw tpm recovery-password && "
     "qemu-img convert -f raw -O qcow2 bitlocker.raw bitlocker"),
};

static void
must_run(const char *command)
{
    if (!run(command))
        fail_msg("%s", command);
}

static int
make_images(void **state)
{
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/fixtures:%s:/usr/sbin:/sbin", SOURCE_DIR,
                            getenv("PATH"));

    if (make_top(state) < 0 || path == NULL || setenv("PATH", path, 1) < 0)
        return -1;
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
        must_run(recipes[i]);
    return 0;
}

static void
ok(int rc, const struct v2v_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

/* A machine with the disks of these names; the overlay of disk N: N.overlay,
 * from 0. */
static struct guest *
open_machine(const char *const *images, size_t count)
{
    struct guest_disk_source *disks = calloc(count, sizeof *disks);
    V2V_AUTO(strings) struct v2v_strings overlays = { 0 };
    V2V_AUTO(strings) struct v2v_strings bases = { 0 };
    struct guest_machine machine;
    struct guest *guest = NULL;
    struct v2v_error err = { 0 };

    assert_non_null(disks);
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(mem)
        char *command = v2v_format(NULL,
                                   "qemu-img create -q -f qcow2 -F qcow2 -b %s "
                                   "%zu.overlay",
                                   images[i], i);
        V2V_AUTO(mem)
        char *overlay = v2v_format(NULL, "%s/%zu.overlay", top, i);
        V2V_AUTO(mem) char *base = v2v_format(NULL, "%s/%s", top, images[i]);

        must_run(command);
        ok(v2v_strings_add(&overlays, overlay, &err), &err);
        ok(v2v_strings_add(&bases, base, &err), &err);
        disks[i] = (struct guest_disk_source){ .image = overlays.items[i],
                                               .format = "qcow2",
                                               .files = &bases };
    }
    machine = (struct guest_machine){ .backend = GUEST_LIBGUESTFS,
                                      .disks = disks,
                                      .count = count,
                                      .scratch = top };
    ok(guest_open(&machine, &guest, &err), &err);
    free(disks);
    warnings[0] = '\0'; /* of the appliance: no KVM */
    assert_int_equal(guest_disk_count(guest), count);
    return guest;
}

/* Where a Windows is, and what starts it. */
struct found {
    unsigned disk, partition;
    unsigned boot_disk, boot_partition;
    bool test_signing, hibernated;
};

static const struct facts_volume *
volume_at(const struct facts *facts, size_t index, unsigned disk,
          unsigned partition)
{
    assert_in_range(index, 0, facts->volume_count - 1);
    assert_int_equal(facts->volumes[index].disk, disk);
    assert_int_equal(facts->volumes[index].place.number, partition);
    return &facts->volumes[index];
}

/* @facts: what was seen, the caller's */
static void
finds(struct guest *guest, struct facts_root root, struct found expected,
      struct facts *facts)
{
    const struct facts_volume *boot;
    struct v2v_error err = { 0 };

    ok(facts_find_windows(guest, &root, facts, &err), &err);
    assert_int_equal(facts->disk, expected.disk);
    assert_int_equal(facts->partition, expected.partition);
    assert_string_equal(facts->system_root, "Windows");
    assert_string_equal(volume_at(facts, facts->system_volume, expected.disk,
                                  expected.partition)
                            ->system_root,
                        "Windows");
    boot = volume_at(facts, facts->boot_volume, expected.boot_disk,
                     expected.boot_partition);
    assert_true(boot->bcd && boot->boot_manager && !boot->nt_loader);
    assert_int_equal(boot->fallback_loader, boot->place.esp);
    assert_true(facts->has_bcd);
    assert_int_equal(facts->test_signing, expected.test_signing);
    assert_int_equal(facts->hibernated, expected.hibernated);
    assert_string_equal(warnings, "");
}

/* @finding: NULL: none */
static void
refuses(struct guest *guest, struct facts_root root, enum v2v_error_code code,
        const char *finding, const char *message)
{
    V2V_AUTO(facts) struct facts facts = { 0 };
    struct v2v_error err = { 0 };

    assert_int_equal(facts_find_windows(guest, &root, &facts, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, code);
    assert_int_equal(err.finding == NULL, finding == NULL);
    if (finding != NULL)
        assert_string_equal(err.finding, finding);
    assert_true(facts.system_volume == FACTS_NO_VOLUME);
    assert_int_equal(facts.disk_count, guest_disk_count(guest));
    assert_string_equal(warnings, "");
}

static const struct facts_root anywhere = { FACTS_ANY, FACTS_ANY };

/* Is the overlay of a disk what its image is? */
static void
assert_unwritten(const char *image, size_t disk)
{
    V2V_AUTO(mem)
    char *command = v2v_format(NULL,
                               "qemu-img compare -q -f qcow2 -F qcow2 %s "
                               "%zu.overlay",
                               image, disk);

    must_run(command);
}

/* The one that is chosen; and no other disk is written. */
static void
test_several_windows(void **state)
{
    static const struct guest_file file = { "Windows/new.sys", "new", 3 };
    static const char *const images[] = { "boot", "windows", "blank", "uefi",
                                          "asleep" };
    struct guest *guest = open_machine(images, 5);
    V2V_AUTO(facts) struct facts uefi = { 0 };
    V2V_AUTO(facts) struct facts windows = { 0 };
    V2V_AUTO(facts) struct facts asleep = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    refuses(guest, anywhere, V2V_ERR_GUEST, "several-windows",
            "multi-boot: 3 Windows in these images, in partitions 2:1, 4:3, "
            "5:1 (--root DISK:N)");
    refuses(guest, (struct facts_root){ 0, 1 }, V2V_ERR_USAGE, NULL,
            "--root 1:1: there is no Windows in that partition, but in "
            "partitions 2:1, 4:3, 5:1");
    refuses(guest, (struct facts_root){ 2, 1 }, V2V_ERR_FORMAT,
            "disk-unreadable",
            "disk 3: no partition table and no Windows file system: not a disk "
            "image of Windows");
    /* its own disk has a BCD, whatever those of other disks say */
    finds(guest, (struct facts_root){ 3, 3 },
          (struct found){ 3, 3, 3, 1, false, false }, &uefi);
    /* its own disk has none */
    finds(guest, (struct facts_root){ 1, 1 },
          (struct found){ 1, 1, 0, 1, true, false }, &windows);
    assert_int_equal(windows.volumes[windows.system_volume].state.journal,
                     NTFS_JOURNAL_CLEAN);
    assert_int_equal(windows.volumes[windows.boot_volume].state.journal,
                     NTFS_JOURNAL_UNCLEAN);
    assert_int_equal(windows.volume_count, 1 + 1 + 3 + 1);
    assert_int_equal(windows.disks[0].size, 256 << 20);
    assert_int_equal(windows.disks[0].table, DISK_TABLE_MBR);
    assert_non_null(windows.disks[2].unreadable);
    assert_int_equal(windows.disks[3].table, DISK_TABLE_GPT);
    /* not one to be written, and found like the others */
    finds(guest, (struct facts_root){ 4, 1 },
          (struct found){ 4, 1, 0, 1, true, true }, &asleep);
    assert_int_equal(asleep.volumes[asleep.system_volume].state.journal,
                     NTFS_JOURNAL_V2);

    ok(guest_mount(guest, 3, 3, true, &err), &err);
    ok(guest_write_files(guest, &file, 1, &err), &err);
    assert_int_equal(guest_mount(guest, 0, 1, true, &err), -1);
    assert_non_null(strstr(err.text, "disk 1, partition 1: the volume cannot "
                                     "be written"));
    ok(guest_close(guest, &err), &err);
    for (size_t i = 0; i < 3; i++)
        assert_unwritten(images[i], i);
    must_run("! qemu-img compare -q -f qcow2 -F qcow2 uefi 3.overlay");
}

/* A machine whose images are only read: nothing is made beside them. */
static struct guest *
open_read_only(const char *const *names, struct image **images, size_t count)
{
    static const struct image_options read_only = { .read_only = true };
    struct guest_disk_source *disks = calloc(count, sizeof *disks);
    struct guest_machine machine = { .backend = GUEST_LIBGUESTFS,
                                     .disks = disks,
                                     .count = count };
    struct guest *guest = NULL;
    struct v2v_error err = { 0 };

    assert_non_null(disks);
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/%s", top, names[i]);

        ok(image_open(path, &read_only, &images[i], &err), &err);
        disks[i] = (struct guest_disk_source){
            .image = image_disk_path(images[i]),
            .format = image_disk_format(images[i]),
            .read_only = true,
        };
    }
    machine.scratch = image_scratch(images[0]);
    ok(guest_open(&machine, &guest, &err), &err);
    warnings[0] = '\0'; /* of the appliance: no KVM */
    free(disks);
    return guest;
}

/* The only Windows is not on the first disk, its boot manager is on a later
 * one, and the data disks are in a state that is their own business. */
static void
test_data_disks_block_nothing(void **state)
{
    static const char *const images[] = { "data",    "dynamic", "bitlocker",
                                          "windows", "esp",     "blank" };
    static const struct found expected = { 3, 1, 4, 1, true, false };
    struct image *held[6];
    V2V_AUTO(facts) struct facts anywhere_facts = { 0 };
    V2V_AUTO(facts) struct facts facts = { 0 };
    struct guest *guest;

    (void)state;
    must_run("rm -f *.overlay");
    must_run("stat -c '%n %s %y %z' . * >\"$PWD.before\"");
    guest = open_read_only(images, held, 6);
    finds(guest, anywhere, expected, &anywhere_facts);
    finds(guest, (struct facts_root){ 3, 1 }, expected, &facts);
    guest_abandon(guest);
    for (size_t i = 0; i < 6; i++)
        image_close(held[i]);
    must_run("stat -c '%n %s %y %z' . * | cmp - \"$PWD.before\" && "
             "rm \"$PWD.before\"");
}

/* What could hold it is named (all kinds: tests/unit/test-find.c): here the
 * last of more disks than letters, /dev/sdab. */
static void
test_no_windows(void **state)
{
    const char *images[28] = { "data" };
    struct guest *guest;

    (void)state;
    for (size_t i = 1; i < 27; i++)
        images[i] = "blank";
    images[27] = "bitlocker";
    guest = open_machine(images, 28);
    refuses(guest, anywhere, V2V_ERR_GUEST, "bitlocker-locked",
            "no Windows found, and disk 28, partition 1 is encrypted with "
            "BitLocker; its key is protected by: TPM, recovery password "
            "(recovery key ID e4c11ab2-fec3-f6b3-2e8d-4b8a8f54f8ce)");
    guest_abandon(guest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_windows),
        cmocka_unit_test(test_data_disks_block_nothing),
        cmocka_unit_test(test_no_windows),
    };

    return cmocka_run_group_tests(tests, make_images, remove_top);
}
