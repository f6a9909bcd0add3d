/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/test-tools.h"
#include "facts/find.h"
#include "guest/guest.h"

/* Machines of several disks, one appliance a machine.  Their images come from
 * fixtures/mkguest; as in the program the appliance gets overlays of them. */

static const char *const recipes[] = {
    /* System Reserved; a Windows without one of its own; one with an ESP */
    "mkguest --boot-only --unclean-journal boot",
    "mkguest --no-boot windows",
    "mkguest --gpt --no-testsigning uefi",
    /* an ESP and a data volume; a data volume that was not unmounted */
    "mkguest --gpt --no-windows esp",
    "mkguest --no-windows --fast-startup data",
    /* what only Windows can read, or nobody */
    "qemu-img create -q -f qcow2 blank 1M",
    "truncate -s 8M dynamic.raw && "
    "echo 'start=2048, type=42' | sfdisk -q -X dos dynamic.raw && "
    "qemu-img convert -f raw -O qcow2 dynamic.raw dynamic",
    "truncate -s 8M bitlocker.raw && "
    "echo 'start=2048, type=7' | sfdisk -q -X dos bitlocker.raw && "
    "printf '\\353X\\220-FVE-FS-' | "
    "dd of=bitlocker.raw bs=1 seek=1048576 conv=notrunc && "
    "qemu-img convert -f raw -O qcow2 bitlocker.raw bitlocker",
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

        must_run(command);
        ok(v2v_strings_add(&overlays, overlay, &err), &err);
        disks[i] = (struct guest_disk_source){ .image = overlays.items[i],
                                               .format = "qcow2" };
    }
    machine = (struct guest_machine){ disks, count, top };
    ok(guest_open(&machine, &guest, &err), &err);
    free(disks);
    warnings[0] = '\0'; /* of the appliance: no KVM */
    assert_int_equal(guest_disk_count(guest), count);
    return guest;
}

static void
finds(struct guest *guest, struct facts_root root, unsigned disk,
      unsigned partition, bool test_signing)
{
    V2V_AUTO(facts) struct facts facts = { 0 };
    struct v2v_error err = { 0 };

    ok(facts_find_windows(guest, &root, &facts, &err), &err);
    assert_int_equal(facts.disk, disk);
    assert_int_equal(facts.partition, partition);
    assert_string_equal(facts.system_root, "Windows");
    assert_true(facts.has_bcd);
    assert_int_equal(facts.test_signing, test_signing);
}

static void
refuses(struct guest *guest, struct facts_root root, enum v2v_error_code code,
        const char *message)
{
    V2V_AUTO(facts) struct facts facts = { 0 };
    struct v2v_error err = { 0 };

    assert_int_equal(facts_find_windows(guest, &root, &facts, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, code);
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
test_two_windows(void **state)
{
    static const struct guest_file file = { "Windows/new.sys", "new", 3 };
    static const char *const images[] = { "boot", "windows", "blank", "uefi" };
    struct guest *guest = open_machine(images, 4);
    struct v2v_error err = { 0 };

    (void)state;
    refuses(guest, anywhere, V2V_ERR_GUEST,
            "2 Windows in these images, in partitions 2:1, 4:3: say which "
            "with --root DISK:N");
    refuses(guest, (struct facts_root){ 0, 1 }, V2V_ERR_USAGE,
            "--root 1:1: there is no Windows in that partition, but in "
            "partitions 2:1, 4:3");
    refuses(guest, (struct facts_root){ 2, 1 }, V2V_ERR_FORMAT,
            "disk 3: no partition table and no Windows file system: not a disk "
            "image of Windows");
    /* its own disk has a BCD, whatever those of other disks say */
    finds(guest, (struct facts_root){ 3, 3 }, 3, 3, false);
    assert_string_equal(warnings, "");
    /* its own disk has none */
    finds(guest, (struct facts_root){ 1, 1 }, 1, 1, true);
    assert_string_equal(warnings,
                        "boot-volume-unclean: disk 1, partition 1: the boot "
                        "volume was not unmounted cleanly; its boot "
                        "configuration is taken as it was last written\n");

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

/* The only Windows is not on the first disk, its boot manager is on a later
 * one, and the data disks are in a state that is their own business. */
static void
test_data_disks_block_nothing(void **state)
{
    static const char *const images[] = { "data",    "dynamic", "bitlocker",
                                          "windows", "esp",     "blank" };
    struct guest *guest = open_machine(images, 6);

    (void)state;
    finds(guest, anywhere, 3, 1, true);
    finds(guest, (struct facts_root){ 3, 1 }, 3, 1, true);
    assert_string_equal(warnings, "");
    guest_abandon(guest);
}

/* What could hold it is named: here the last of more disks than letters. */
static void
test_no_windows(void **state)
{
    const char *images[28] = { "data" };
    struct guest *guest;

    (void)state;
    for (size_t i = 1; i < 27; i++)
        images[i] = "blank";
    images[27] = "bitlocker"; /* /dev/sdab */
    guest = open_machine(images, 28);
    refuses(guest, anywhere, V2V_ERR_GUEST,
            "no Windows found, and disk 28, partition 1 is BitLocker, which "
            "cannot be read");
    assert_string_equal(warnings, "");
    guest_abandon(guest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_windows),
        cmocka_unit_test(test_data_disks_block_nothing),
        cmocka_unit_test(test_no_windows),
    };

    return cmocka_run_group_tests(tests, make_images, remove_top);
}
