/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "verify/verify.h"

#define INJECT_AGAIN                                                           \
    "Inject the driver again: what Windows knows of its package is not whole."
#define NETWORK_AGAIN                                                          \
    "Inject NetKVM again: what Windows knows of its package is not whole."

/* In the order in which a machine comes to each link; a link's codes stand
 * together. */
static const struct verify_code codes[] = {
    /* boot.c, bcd.c: up to the kernel */
    { "firmware-needs-efi", "firmware", VERIFY_BROKEN,
      "Give the machine UEFI firmware: this disk has a GPT, which Windows "
      "boots "
      "through UEFI only." },
    { "firmware-needs-bios", "firmware", VERIFY_BROKEN,
      "Give the machine a BIOS: this disk has an MBR, which Windows boots "
      "through a BIOS only." },
    { "no-active-partition", "boot-partition", VERIFY_BROKEN,
      "Mark the partition that holds the boot manager as active." },
    { "several-active-partitions", "boot-partition", VERIFY_BROKEN,
      "Leave one partition active, the one that holds the boot manager." },
    { "wrong-active-partition", "boot-partition", VERIFY_BROKEN,
      "Mark the partition that holds the boot manager as active, and no "
      "other." },
    { "no-esp", "boot-partition", VERIFY_BROKEN,
      "Make an EFI system partition and let bcdboot fill it." },
    { "boot-manager-missing", "boot-manager", VERIFY_BROKEN,
      "Let bcdboot, or Startup Repair of an installation medium, write the "
      "boot "
      "files anew." },
    { "nt-loader-missing", "boot-manager", VERIFY_BROKEN,
      "Copy ntldr and NTDETECT.COM from the installation medium to the root of "
      "the active partition." },
    { "fallback-loader-missing", "fallback-loader", VERIFY_WARNS,
      "Copy EFI\\Microsoft\\Boot\\bootmgfw.efi to EFI\\Boot\\bootx64.efi, or "
      "give the machine a boot entry: a new one has none." },

    { "bcd-missing", "bcd", VERIFY_BROKEN,
      "Let bcdboot write the boot configuration anew." },
    { "bcd-unreadable", "bcd", VERIFY_BROKEN,
      "Let bcdboot write the boot configuration anew." },
    { "bcd-no-boot-manager", "bcd-default", VERIFY_BROKEN,
      "Let bcdboot write the boot configuration anew." },
    { "bcd-no-default", "bcd-default", VERIFY_BROKEN,
      "Set the boot manager's default entry with bcdedit." },
    { "bcd-loader-missing", "bcd-loader", VERIFY_BROKEN,
      "Let bcdboot write the boot files and their configuration anew." },
    { "bcd-wrong-system-root", "bcd-system-root", VERIFY_BROKEN,
      "Set systemroot of the default entry to the directory of this Windows." },
    { "bcd-wrong-device", "bcd-device", VERIFY_BROKEN,
      "Set device and osdevice of the default entry to the partition of this "
      "Windows." },
    { "boot-ini-missing", "boot-ini", VERIFY_BROKEN,
      "Write a boot.ini that names the partition and directory of this "
      "Windows." },
    { "boot-ini-wrong", "boot-ini", VERIFY_BROKEN,
      "Let the default of boot.ini name the partition and directory of this "
      "Windows." },
    { "kernel-missing", "kernel", VERIFY_BROKEN,
      "Restore the file from the installation medium." },
    { "select-default-missing", "select", VERIFY_BROKEN,
      "Set Select\\Default to a control set that exists." },

    /* device.c, routes.c, legacy.c: from the boot controller to a service */
    { "controller-not-covered", "controller", VERIFY_BROKEN,
      "Inject the driver of the controller that the machine gives the boot "
      "disk, or put the disk on one that the guest has a driver for." },
    { "controller-form-not-covered", "controller", VERIFY_WARNS,
      "Give the machine the form of the device that the driver serves." },
    { "device-id-missing", "device-id", VERIFY_BROKEN,
      "Inject the driver again: Plug and Play does not get from the "
      "controller's id to its INF." },
    { "device-id-in-drivers", "device-id", VERIFY_BROKEN,
      "Inject the driver again: the kernel looks for boot drivers in the "
      "SYSTEM hive, and this one is in DRIVERS only." },
    { "better-match-not-ready", "device-id", VERIFY_WARNS,
      "Remove the package that ranks better, with pnputil, once Windows "
      "runs." },
    { "inf-not-registered", "inf", VERIFY_BROKEN, INJECT_AGAIN },
    { "inf-not-active", "inf-active", VERIFY_BROKEN, INJECT_AGAIN },
    { "package-missing", "package", VERIFY_BROKEN, INJECT_AGAIN },
    { "package-not-listed", "inf-packages", VERIFY_BROKEN, INJECT_AGAIN },
    { "package-version", "package-version", VERIFY_BROKEN, INJECT_AGAIN },
    { "package-architecture", "package-architecture", VERIFY_WARNS,
      "Inject the driver of the guest's architecture." },
    { "package-class", "package-class", VERIFY_WARNS, INJECT_AGAIN },
    { "package-not-configured", "package-configured", VERIFY_BROKEN,
      "Inject the driver: pnputil without the device only stages it, and the "
      "kernel takes no staged driver for the boot disk." },
    { "descriptor-missing", "descriptor", VERIFY_BROKEN, INJECT_AGAIN },
    { "configuration-missing", "configuration", VERIFY_BROKEN, INJECT_AGAIN },
    { "configuration-not-listed", "configuration-listed", VERIFY_BROKEN,
      INJECT_AGAIN },
    { "configuration-no-service", "configuration-service", VERIFY_BROKEN,
      INJECT_AGAIN },
    { "critical-device-missing", "critical-device", VERIFY_BROKEN,
      INJECT_AGAIN },
    { "critical-device-no-service", "critical-device", VERIFY_BROKEN,
      INJECT_AGAIN },
    { "critical-device-no-class", "critical-device", VERIFY_BROKEN,
      INJECT_AGAIN },
    { "service-owner", "service-owner", VERIFY_WARNS,
      "Inject the driver again: Windows takes the service for another "
      "package's." },

    /* service.c: the service of the boot disk's driver */
    { "service-missing", "service", VERIFY_BROKEN,
      "Inject the driver again: its service is not there." },
    { "service-wrong-type", "service-type", VERIFY_BROKEN,
      "Set Type to 1, a kernel driver." },
    { "service-disabled", "service-start", VERIFY_BROKEN,
      "Set Start to 0: the driver of the boot disk has to load first of all." },
    { "service-not-boot-start", "service-start", VERIFY_BROKEN,
      "Set Start to 0: the driver of the boot disk has to load first of all." },
    { "start-override", "service-start", VERIFY_BROKEN,
      "Delete the key StartOverride, and boot next with the disk on this "
      "driver's controller." },
    { "service-no-group", "service-group", VERIFY_WARNS,
      "Set Group to \"SCSI miniport\", as the driver's INF does." },
    { "image-path-refused", "service-image", VERIFY_BROKEN,
      "Set ImagePath to System32\\drivers\\ and the driver's file." },
    { "driver-file-missing", "service-image", VERIFY_BROKEN,
      "Inject the driver again: its file is not there." },
    { "driver-not-pe", "driver-file", VERIFY_BROKEN,
      "Inject the driver again: its file is damaged." },
    { "driver-wrong-machine", "driver-file", VERIFY_BROKEN,
      "Inject the driver of the guest's architecture." },
    { "driver-writable-code", "driver-file", VERIFY_BROKEN,
      "Take a driver that is built for memory integrity, or switch that off in "
      "Windows first." },
    { "import-missing", "driver-imports", VERIFY_BROKEN,
      "Restore the file that the driver imports from." },

    /* device.c: the driver's signature and its package */
    { "driver-signature", "driver-signature", VERIFY_BROKEN,
      "Inject a driver whose signature this Windows accepts." },
    { "catalog-missing", "driver-catalog", VERIFY_WARNS,
      "Inject the driver with its catalog: the kernel loads it by its own "
      "signature, others ask for the catalog." },
    { "package-dangling", "driver-store", VERIFY_WARNS,
      "Install the driver in the running Windows: the package is a stub that "
      "serves the boot only." },
    { "package-unsigned", "package-catalog", VERIFY_WARNS,
      "Inject the driver from a medium that has its catalog: Plug and Play "
      "takes the package for unsigned." },
    { "store-file-missing", "driver-store-files", VERIFY_WARNS, INJECT_AGAIN },
    { "store-file-altered", "driver-store-files", VERIFY_WARNS, INJECT_AGAIN },
    { "inf-copy-differs", "inf-copy", VERIFY_WARNS, INJECT_AGAIN },
    { "driver-copy-differs", "driver-copy", VERIFY_WARNS,
      "Find out where the driver in use comes from; injecting replaces it." },
    { "bus-type", "bus-type", VERIFY_WARNS,
      "Set Parameters\\BusType of the service to what the INF says." },

    /* chain.c, filters.c: what lies between that driver and the volume */
    { "chain-service-missing", "chain", VERIFY_BROKEN,
      "Restore the service from a backup of the registry." },
    { "chain-service-disabled", "chain", VERIFY_BROKEN,
      "Set Start of the service to 0." },
    { "chain-start-override", "chain", VERIFY_BROKEN,
      "Delete the key StartOverride of the service." },
    { "chain-not-boot-start", "chain", VERIFY_BROKEN,
      "Set Start of the service to 0." },
    { "chain-service-off", "chain", VERIFY_WARNS,
      "Set Start of the service to 0 and delete its StartOverride, unless it "
      "is off on purpose." },
    { "chain-file-missing", "chain", VERIFY_BROKEN,
      "Restore the driver's file from the installation medium." },
    { "filter-service-missing", "filters", VERIFY_BROKEN,
      "Take the name out of the list of filters: nothing stands behind it." },
    { "filter-disabled", "filters", VERIFY_BROKEN,
      "Take the name out of the list of filters, or enable its service." },
    { "filter-file-missing", "filters", VERIFY_BROKEN,
      "Take the name out of the list of filters, or restore its file." },
    { "critical-file-missing", "boot-services", VERIFY_BROKEN,
      "Restore the file, or disable the service if nothing needs it." },
    { "boot-file-missing", "boot-services", VERIFY_WARNS,
      "Restore the file, or disable the service if nothing needs it." },
    { "san-policy", "san-policy", VERIFY_WARNS,
      "Set SanPolicy of partmgr to 1, or bring the disks online by hand after "
      "the move." },

    /* network.c: what Plug and Play needs to install the network card */
    { "network-driver-missing", "network-driver", VERIFY_BROKEN,
      "Inject NetKVM: the machine has a virtio network card." },
    { "network-driver-absent", "network-driver", VERIFY_WARNS,
      "Inject NetKVM if the machine is to have a virtio network card." },
    { "network-device-id-missing", "network-device-id", VERIFY_BROKEN,
      NETWORK_AGAIN },
    { "network-inf-not-registered", "network-inf", VERIFY_BROKEN,
      NETWORK_AGAIN },
    { "network-inf-not-active", "network-inf-active", VERIFY_BROKEN,
      NETWORK_AGAIN },
    { "network-package-missing", "network-package", VERIFY_BROKEN,
      NETWORK_AGAIN },
    { "network-package-not-listed", "network-inf-packages", VERIFY_BROKEN,
      NETWORK_AGAIN },
    { "network-package-version", "network-package-version", VERIFY_BROKEN,
      NETWORK_AGAIN },
    { "network-store-missing", "network-store", VERIFY_BROKEN, NETWORK_AGAIN },
    { "network-file-missing", "network-files", VERIFY_BROKEN, NETWORK_AGAIN },
    { "network-file-altered", "network-files", VERIFY_BROKEN, NETWORK_AGAIN },
    { "network-signature", "network-signature", VERIFY_BROKEN,
      "Inject a NetKVM whose signature this Windows accepts." },
};

const struct verify_code *
verify_codes(size_t *count)
{
    *count = sizeof codes / sizeof *codes;
    return codes;
}

/* No driver package brings these. */
static const char *const of_guest[] = {
    "firmware",
    "boot-partition",
    "boot-manager",
    "fallback-loader",
    "bcd",
    "bcd-default",
    "bcd-loader",
    "bcd-system-root",
    "bcd-device",
    "boot-ini",
    "kernel",
    "select",
    "driver-imports",
    "chain",
    "filters",
    "boot-services",
    "san-policy",
};

bool
verify_is_of_guest(const struct verify_link *link)
{
    for (size_t i = 0; i < sizeof of_guest / sizeof *of_guest; i++)
        if (strcmp(of_guest[i], link->link) == 0)
            return true;
    return false;
}
