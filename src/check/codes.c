/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every code there is.  A name, once released, stays: scripts know it. */
#include <string.h>

#include "check/check.h"

static const struct check_code codes[] = {
    /* facts/: no Windows, and why */
    { "no-windows", CHECK_BLOCKS, false,
      "give the image of the disk that Windows is on, or all images of the "
      "machine" },
    { "windows-unreadable", CHECK_BLOCKS, false,
      "let chkdsk repair the volume in Windows, or restore it from a backup" },
    { "several-windows", CHECK_BLOCKS, false,
      "say with --root which one is meant, or --root first" },
    { "bitlocker-locked", CHECK_BLOCKS, false,
      "give its recovery key or password with --key (all:file:FILE), or "
      "decrypt the volume in Windows (manage-bde -off C:) and shut down" },
    { "bitlocker-suspended", CHECK_BLOCKS, false,
      "resume the protection in Windows (manage-bde -protectors -enable C:) "
      "and give its key with --key, or decrypt the volume "
      "(manage-bde -off C:), and shut down: a suspended BitLocker still "
      "encrypts" },
    { "bitlocker-key-wrong", CHECK_BLOCKS, false,
      "give the recovery key of that ID, eight groups of six digits with '-' "
      "between, or the volume's password" },
    { "bitlocker-unreadable", CHECK_BLOCKS, false,
      "decrypt the volume in Windows (manage-bde -off C:), wait until it is "
      "done, and shut down" },
    { "dynamic-disk", CHECK_BLOCKS, false,
      "move Windows to a basic disk before the conversion" },
    { "storage-spaces", CHECK_BLOCKS, false,
      "move Windows off the storage pool before the conversion" },
    { "refs", CHECK_BLOCKS, false,
      "give the image of the disk with the NTFS volume of Windows: ReFS cannot "
      "be read from here" },
    { "disk-unreadable", CHECK_BLOCKS, false,
      "check that the file is a disk image, and say its --format" },
    { "hive-missing", CHECK_BLOCKS, false,
      "restore the registry hive, or repair Windows, before the conversion" },
    { "hive-corrupt", CHECK_BLOCKS, false,
      "repair Windows, or restore the registry hive from a backup" },
    { "unsupported-version", CHECK_BLOCKS, false,
      "keep emulated devices: there are no virtio drivers available for this "
      "version of Windows" },
    { "unsupported-architecture", CHECK_BLOCKS, false,
      "keep emulated devices: there are no virtio drivers available for this "
      "version of Windows" },

    /* image/: it is not opened, and why */
    { "image-unreadable", CHECK_BLOCKS, false,
      "check that the file is whole and a disk image, and say its --format" },
    { "image-read-only", CHECK_BLOCKS, false,
      "give yourself the right to write the image, or inject with --output" },
    { "backing-file", CHECK_BLOCKS, false,
      "flatten the chain first (qemu-img convert, virsh blockcommit)" },
    { "data-file", CHECK_BLOCKS, false,
      "put the data back into the image first (qemu-img convert)" },
    { "image-encrypted", CHECK_BLOCKS, false,
      "decrypt the image first (qemu-img convert)" },
    { "image-corrupt", CHECK_BLOCKS, false,
      "repair the image first (qemu-img check -r all), and keep a copy" },
    { "vhdx-log", CHECK_BLOCKS, false,
      "let its own hypervisor close the image, or convert a copy of it" },
    { "image-kind", CHECK_BLOCKS, false,
      "convert the image first (qemu-img convert), or inject with --output" },
    { "image-interrupted", CHECK_BLOCKS, false,
      "end the run that was interrupted: inject on this image does so, or says "
      "what is in its way" },

    /* image.c */
    { "host-full", CHECK_BLOCKS, false,
      "make room on the host, or give --work-dir" },
    { "copy-only", CHECK_WARNS, false,
      "inject with --output, which writes a new qcow2" },
    { "not-writable", CHECK_WARNS, false,
      "give yourself the right to write the image, or inject with --output" },
    { "raw-probed", CHECK_INFO, false,
      "say --format raw if that is what it is" },
    { "internal-snapshots", CHECK_INFO, false,
      "inject again after going back to one: they stay as they are, without "
      "the drivers" },

    /* disk.c */
    /* in the words of virt-v2v, which people search for */
    { "hibernated", CHECK_BLOCKS, false,
      "Windows Hibernation or Fast Restart is being used: start Windows and "
      "shut it down with \"shutdown /s /t 0\"" },
    { "fast-startup", CHECK_BLOCKS, false,
      "Windows Hibernation or Fast Restart is being used: start Windows and "
      "shut it down with \"shutdown /s /t 0\", which turns Fast Startup off "
      "for that time" },
    { "volume-dirty", CHECK_BLOCKS, false,
      "let Windows run chkdsk and shut it down" },
    { "journal-v2", CHECK_BLOCKS, false,
      "this probably happened because Windows Hibernation or Fast Restart is "
      "being used: start Windows and shut it down with \"shutdown /s /t 0\"" },
    { "journal-unclean", CHECK_BLOCKS, false,
      "start Windows and shut it down; if the machine crashed, let it run "
      "chkdsk" },
    { "volume-full", CHECK_BLOCKS, false,
      "make room on the Windows volume: Disk Cleanup, or a larger volume" },
    { "folder-redirected", CHECK_BLOCKS, false,
      "put the folder back where Windows has it: it cannot be written through "
      "a reparse point" },
    { "volume-nearly-full", CHECK_WARNS, false,
      "make room on the Windows volume before the drivers are added" },
    { "boot-volume-unclean", CHECK_WARNS, false,
      "start Windows and shut it down, so that its boot configuration is "
      "certain" },
    { "volume-unreadable", CHECK_WARNS, false,
      "let chkdsk look at it in Windows if it matters: it was left out" },
    { "no-boot-configuration", CHECK_WARNS, false,
      "give all disks of the machine: Windows is started from another one, or "
      "not at all" },
    { "no-fallback-loader", CHECK_WARNS, false,
      "copy EFI\\Microsoft\\Boot\\bootmgfw.efi to EFI\\Boot\\bootx64.efi "
      "or make a boot entry in the new machine's firmware" },
    { "bitlocker-beside", CHECK_WARNS, false,
      "if the encrypted volume is the Windows that is meant, give its key with "
      "--key, or decrypt it in Windows (manage-bde -off C:) and shut down" },
    { "bitlocker-tpm", CHECK_WARNS, false,
      "have the recovery key at hand for the first boot, and let Windows make "
      "a TPM protector anew if the new machine has a TPM (manage-bde)" },
    { "dynamic-disk-beside", CHECK_WARNS, false,
      "move all disks of the group with the machine, and look at Disk "
      "Management afterwards" },
    { "storage-spaces-beside", CHECK_WARNS, false,
      "move all disks of the pool with the machine: its volumes come up only "
      "then" },
    { "bitlocker-data", CHECK_INFO, false,
      "have its recovery key at hand; it was not looked into" },
    { "refs-beside", CHECK_INFO, false,
      "nothing: Windows reads it after the move as before; it was not looked "
      "into" },
    { "other-windows", CHECK_INFO, false,
      "nothing: only the one that --root names gets drivers" },
    { "compact-os", CHECK_INFO, false,
      "nothing to do: drivers are written as plain files; but what Windows "
      "packed cannot be verified from here" },

    /* windows.c, renames.c */
    { "arm64", CHECK_WARNS, false,
      "take a driver medium that has ARM64 drivers; how Windows judges their "
      "signatures is not documented" },
    { "windows-newer", CHECK_INFO, false,
      "look for a newer release of this program: the rules for the last known "
      "Windows are used" },
    { "hive-replayed", CHECK_INFO, false,
      "nothing: usual for Windows 8.1 and later" },
    { "hive-dirty", CHECK_BLOCKS, true,
      "start Windows once and shut it down; when it is allowed, changes that "
      "Windows made last may be lost" },
    { "setup-in-progress", CHECK_WARNS, false,
      "let Windows Setup end on the old machine first: Setup may not install "
      "new devices, and may end only after several boots" },
    { "sysprep", CHECK_WARNS, false,
      "test the generalized image on virtio before many machines are made of "
      "it: its first boot sets Windows up anew" },
    { "servicing-pending", CHECK_WARNS, false,
      "restart Windows on the old machine until no update is pending" },
    { "rename-pending", CHECK_WARNS, false,
      "restart Windows once on the old machine, so that the pending change is "
      "made before the move and not after it" },
    { "start-override", CHECK_INFO, false,
      "nothing: inject deletes the key; who injects with another tool deletes "
      "it by hand in every control set" },
    { "boot-service-disabled", CHECK_BLOCKS, true,
      "set the service's Start to 0, as in every installed Windows; without it "
      "Windows does not find its boot disk, on any controller" },
    { "boot-file-missing", CHECK_BLOCKS, true,
      "repair Windows (sfc /scannow) on the old machine: without the file it "
      "does not boot from virtio" },
    { "san-policy", CHECK_INFO, false,
      "bring disks that are added later online by hand, or run \"diskpart: san "
      "policy=onlineall\"" },
    { "data-disks-offline", CHECK_WARNS, false,
      "run \"diskpart: san policy=onlineall\" before the move, or bring the "
      "data disks online by hand after it" },

    /* policy.c, hvci.c */
    { "boot-driver-missing", CHECK_BLOCKS, false,
      "take another driver medium, as an older virtio-win for an older "
      "Windows: on this one there are no virtio drivers available for this "
      "version of Windows" },
    { "driver-missing", CHECK_WARNS, false,
      "nothing if the device is not needed, which stays as it is; else take a "
      "medium that has its driver" },
    { "driver-untrusted", CHECK_BLOCKS, true,
      "take a medium whose signatures this Windows accepts: an older or newer "
      "virtio-win, or the one of RHEL" },
    { "driver-secure-boot", CHECK_WARNS, false,
      "give the machine a firmware without Secure Boot, or give the domain XML "
      "with --domain-xml" },
    { "driver-hvci", CHECK_WARNS, false,
      "take a newer driver, or switch memory integrity off in Windows before "
      "the move" },
    { "wdac-policy", CHECK_WARNS, false,
      "see that the policy allows the virtio drivers' signer before the move" },
    { "device-install-policy", CHECK_WARNS, false,
      "lift the policy until Windows has installed its new devices, or allow "
      "PCI\\VEN_1AF4 there" },
    { "pnp-service-disabled", CHECK_WARNS, false,
      "set the service's Start to 3 (before Windows 8 to 2): without it the "
      "network adapter is not installed" },

    /* antivirus.c */
    { "disk-encryption", CHECK_WARNS, false,
      "decrypt and uninstall the product before the move: it knows the old "
      "disk only" },
    { "antivirus-driver", CHECK_INFO, false,
      "nothing; if the first boot stops, suspect it" },
    { "backup-filter", CHECK_INFO, false,
      "nothing; the next backup may be a full one" },

    /* hypervisor.c */
    { "hypervisor-filter", CHECK_WARNS, false,
      "uninstall the old hypervisor's tools in Windows before the move; never "
      "delete the driver or its service and leave the filter" },
    { "hypervisor-driver", CHECK_WARNS, false,
      "uninstall the old hypervisor's tools in Windows before the move, or "
      "disable this service" },
    { "filter-without-service", CHECK_WARNS, false,
      "take the name out of the filter list, or enable the service: Windows "
      "starts no device of that class while one of its filters cannot load" },
    { "foreign-virtio", CHECK_WARNS, false,
      "uninstall the other vendor's, or keep to its drivers: Windows chooses "
      "among drivers for one device by date and version" },
    { "hypervisor-leftovers", CHECK_INFO, false,
      "uninstall those tools in Windows before the move, since some of their "
      "uninstallers refuse to run elsewhere; they keep nothing from booting" },

    /* virtio.c */
    { "virtio-present", CHECK_INFO, false,
      "nothing: give a driver medium to have it compared" },
    { "virtio-same", CHECK_INFO, false,
      "nothing: inject completes what is missing" },
    { "virtio-older", CHECK_INFO, false, "nothing: inject adds the newer one" },
    { "driver-newer", CHECK_INFO, false, "nothing: the newer one stays" },
    { "boot-driver-newer", CHECK_BLOCKS, false,
      "take a driver medium that is at least as new: Windows would take the "
      "newer driver, not the one injected" },
    { "virtio-staged", CHECK_WARNS, false,
      "run inject: a driver that is only in the driver store does not boot the "
      "guest (INACCESSIBLE_BOOT_DEVICE, 0x7B)" },
    { "virtio-demoted", CHECK_WARNS, false,
      "run inject, then boot on virtio at once: Windows switches off a driver "
      "for which it found no device (INACCESSIBLE_BOOT_DEVICE, 0x7B)" },
    { "virtio-service-only", CHECK_WARNS, false,
      "run inject: Windows 8 and later bind a boot disk by the driver database "
      "(INACCESSIBLE_BOOT_DEVICE, 0x7B)" },
    { "virtio-incomplete", CHECK_INFO, false,
      "nothing if the other boot driver is used; inject completes it" },
    { "virt-v2v-stub", CHECK_INFO, false,
      "nothing; pnputil may complain of guestor.inf: virt-v2v's "
      "remove-guestor.reg takes it away" },
    { "virt-v2v-firstboot", CHECK_INFO, false,
      "nothing: virt-v2v's scripts run at the next boot" },

    /* network.c */
    { "static-ip", CHECK_WARNS, false,
      "note these settings and make them again on the virtio adapter after the "
      "first boot: it is a new one and starts with DHCP" },
    { "static-dns", CHECK_INFO, false,
      "set the DNS servers again on the virtio adapter, which is a new one, or "
      "let DHCP give them" },
    { "network-team", CHECK_WARNS, false,
      "break the team up before the move, or make it anew from the virtio "
      "adapters: its members are the old ones" },
};

const struct check_code *
check_codes(size_t *count)
{
    *count = sizeof codes / sizeof *codes;
    return codes;
}

const struct check_code *
check_find_code(const char *name)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (v2v_equal_nocase(codes[i].name, name))
            return &codes[i];
    return NULL;
}

const char *
check_severity_name(enum check_severity severity)
{
    static const char *const names[] = { "info", "warns", "blocks" };

    return names[severity];
}

enum v2v_error_code
check_status(const struct check_code *code)
{
    static const struct {
        const char *name;
        enum v2v_error_code status;
    } others[] = {
        { "boot-driver-missing", V2V_ERR_DRIVER },
        { "driver-untrusted", V2V_ERR_DRIVER },
        { "disk-unreadable", V2V_ERR_FORMAT },
        { "image-unreadable", V2V_ERR_FORMAT },
        { "host-full", V2V_ERR_INTERNAL },
        { "hive-corrupt", V2V_ERR_FORMAT },
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, code->name) == 0)
            return others[i].status;
    return V2V_ERR_GUEST;
}
