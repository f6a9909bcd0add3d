/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tools of another hypervisor left in the guest. */
#include <string.h>

#include "check/internal.h"

enum vendor { VMWARE, VIRTUALBOX, XEN, PARALLELS, NUTANIX, SUSE, VENDOR_COUNT };

static const char *const vendor_names[VENDOR_COUNT] = {
    [VMWARE] = "VMware Tools",
    [VIRTUALBOX] = "VirtualBox Guest Additions",
    [XEN] = "Xen PV drivers",
    [PARALLELS] = "Parallels Tools",
    [NUTANIX] = "Nutanix Guest Tools",
    [SUSE] = "SUSE VMDP",
};

/* Services of guests, not of hosts (VBoxNetAdp, vmx86 ...).  Hyper-V's are
 * Windows' own, and so is pvscsii.
 * Read in hives of Windows 7, 8.1 and 10: VMware's and VirtualBox', which all
 * have ErrorControl 0 or 1, so that their failure does not stop Windows; in the
 * INF of github.com/xenproject/win-xenbus: xenbus, xenfilt.  The others are
 * names that GPLPV, Red Hat's xenpv-win, VMDP and virt-v2v
 * (convert/convert_windows.ml) use, and were not seen in a hive. */
static const struct leftover {
    enum vendor vendor;
    const char *service;
    const char *hurts; /* what it does on KVM; NULL: nothing */
} leftovers[] = {
    { VMWARE, "vmci", NULL },
    { VMWARE, "vsock", NULL },
    { VMWARE, "vmrawdsk", NULL },
    { VMWARE, "vmhgfs", NULL },
    { VMWARE, "VMMEMCTL", NULL },
    { VMWARE, "VMTools", NULL },
    { VMWARE, "VMUpgradeHelper", NULL },
    { VMWARE, "VMwareCAF", NULL },
    { VMWARE, "VGAuthService", NULL },
    { VMWARE, "vm3dservice", NULL },
    { VMWARE, "vm3dmp", NULL },
    { VMWARE, "vm3dmp_loader", NULL },
    { VMWARE, "vmx_svga", NULL },
    { VMWARE, "pvscsi", NULL },
    { VMWARE, "vmxnet", NULL },
    { VMWARE, "vmxnet3ndis5", NULL },
    { VMWARE, "vmxnet3ndis6", NULL },
    { VMWARE, "vmmouse", NULL },
    { VMWARE, "vmusbmouse", NULL },
    { VMWARE, "VMAUDIO", NULL },
    { VMWARE, "vmdebug", NULL },
    { VMWARE, "vmvss", NULL },
    { VMWARE, "vnetflt", NULL },
    { VMWARE, "vnetWFP", NULL },
    { VMWARE, "vsepflt", NULL },
    { VIRTUALBOX, "VBoxGuest", NULL },
    { VIRTUALBOX, "VBoxMouse", NULL },
    { VIRTUALBOX, "VBoxSF", NULL },
    { VIRTUALBOX, "VBoxService", NULL },
    { VIRTUALBOX, "VBoxVideo", NULL },
    { VIRTUALBOX, "VBoxVideoW8", NULL },
    { VIRTUALBOX, "VBoxVideoWddm", NULL },
    { VIRTUALBOX, "VBoxWddm", NULL },
    { XEN, "xenbus", NULL },
    { XEN, "xenfilt", NULL },
    { XEN, "xenvbd", NULL },
    { XEN, "xendisk", NULL },
    { XEN, "xencrsh", NULL },
    { XEN, "xenvif", NULL },
    { XEN, "xennet", NULL },
    { XEN, "xeniface", NULL },
    { XEN, "xenpci", NULL },
    { XEN, "xenscsi", NULL },
    { XEN, "xenusb", NULL },
    { XEN, "xenhide", NULL },
    { XEN, "xenevtchn", NULL },
    { XEN, "xenvkbd", NULL },
    { XEN, "xenhid", NULL },
    { XEN, "xencons", NULL },
    { XEN, "xenlite", NULL },
    { XEN, "xeninp", NULL },
    { XEN, "XenSvc", NULL },
    { XEN, "XenAgent", NULL },
    { XEN, "XenInstall", NULL },
    { XEN, "scsifilt", NULL },
    { XEN, "rhelscsi", "may stop Windows where there is no Xen" },
    { XEN, "rhelfltr", NULL },
    { XEN, "rhelnet", NULL },
    { PARALLELS, "prl_boot", NULL },
    { PARALLELS, "prl_dd", NULL },
    { PARALLELS, "prl_eth5", NULL },
    { PARALLELS, "prl_fs", NULL },
    { PARALLELS, "prl_memdev", NULL },
    { PARALLELS, "prl_mouf", NULL },
    { PARALLELS, "prl_pv32", NULL },
    { PARALLELS, "prl_pv64", NULL },
    { PARALLELS, "prl_scsi", NULL },
    { PARALLELS, "prl_sound", NULL },
    { PARALLELS, "prl_strg", NULL },
    { PARALLELS, "prl_tg", NULL },
    { PARALLELS, "prl_time", NULL },
    { PARALLELS, "prl_uprof", NULL },
    { PARALLELS, "prl_va", NULL },
    { PARALLELS, "Parallels Tools Service", NULL },
    { PARALLELS, "Parallels Coherence Service", NULL },
    { NUTANIX, "NutanixGuestAgent", NULL },
    { NUTANIX, "Nutanix Guest Agent", NULL },
    { NUTANIX, "Nutanix Guest Tools Agent", NULL },
    { SUSE, "pvvxblk", NULL },
    { SUSE, "pvvxscsi", NULL },
    { SUSE, "pvvxnet", NULL },
    { SUSE, "pvvxbn", NULL },
    { SUSE, "pvvxsvc", NULL },
};
enum { leftover_count = sizeof leftovers / sizeof *leftovers };

/* Is @service there and not disabled?  VMware leaves keys that hold one value
 * of its own and are no services: those have no Type. */
static int
is_active(struct check *check, const char *service, struct v2v_error *err)
{
    enum { start_disabled = 4 };
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "%s\\Services\\%s", check->control_set, service);
    uint32_t type, start = 0;
    int found = check_get_dword(check->system, key, "Type", &type, err);

    if (found > 0)
        found = check_get_dword(check->system, key, "Start", &start, err);
    return found > 0 ? start != start_disabled : found;
}

/* Services ---------------------------------------------------------------- */

static int
add_service(struct check *check, const struct leftover *l,
            struct v2v_bytes *list, struct v2v_error *err)
{
    int active = is_active(check, l->service, err);

    if (active <= 0)
        return active;
    if (l->hurts != NULL)
        return check_found(check, "hypervisor-driver", err,
                           "%s: SYSTEM\\%s\\Services\\%s is active and %s",
                           vendor_names[l->vendor], check->control_set,
                           l->service, l->hurts);
    return v2v_bytes_list(list, err, "%s", l->service);
}

static int
services_left(struct check *check, struct v2v_error *err)
{
    for (enum vendor vendor = 0; vendor < VENDOR_COUNT; vendor++) {
        V2V_AUTO(bytes) struct v2v_bytes list = { 0 };

        for (size_t i = 0; i < leftover_count; i++)
            if (leftovers[i].vendor == vendor &&
                add_service(check, &leftovers[i], &list, err) < 0)
                return -1;
        if (list.len > 0 &&
            check_found(check, "hypervisor-leftovers", err,
                        "%s: %.*s in SYSTEM\\%s\\Services",
                        vendor_names[vendor], (int)list.len,
                        (const char *)list.data, check->control_set) < 0)
            return -1;
    }
    return 0;
}

/* Filters ----------------------------------------------------------------- */

/* The classes of devices between PnP's root and a volume, whose devices Windows
 * does not start when a filter of theirs cannot load.
 * Source: Microsoft, "System-Defined Device Setup Classes". */
static const struct class {
    const char *name, *guid;
} disk_classes[] = {
    { "DiskDrive", "{4d36e967-e325-11ce-bfc1-08002be10318}" },
    { "HDC", "{4d36e96a-e325-11ce-bfc1-08002be10318}" },
    { "SCSIAdapter", "{4d36e97b-e325-11ce-bfc1-08002be10318}" },
    { "System", "{4d36e97d-e325-11ce-bfc1-08002be10318}" },
    { "Volume", "{71a27cdd-812a-11d0-bec7-08002be2092f}" },
};

/* Filters of other hypervisors' disks: when their driver goes, and its name
 * stays in the list, Windows does not boot any more (0x7B; QubesOS/qubes-issues
 * 1078; virt-v2v takes prl_strg out of DiskDrive). */
static const char *const disk_filters[] = { "xenfilt", "xenpci", "xenhide",
                                            "scsifilt", "prl_strg" };

/* A filter that every Windows needs as a service too, which windows.c judges:
 * one cause is one finding. */
static const char judged_as_service[] = "partmgr";

enum { max_filters = 64, max_shown = 64 };

static bool
is_disk_filter(const char *name)
{
    for (size_t i = 0; i < sizeof disk_filters / sizeof *disk_filters; i++)
        if (v2v_equal_nocase(name, disk_filters[i]))
            return true;
    return false;
}

static int
judge_filter(struct check *check, const struct class *class, const char *list,
             const char *filter, struct v2v_error *err)
{
    int active = is_active(check, filter, err);

    if (active < 0)
        return -1;
    if (active == 0)
        return check_found(check, "filter-without-service", err,
                           "%.*s is in %s of class %s (SYSTEM\\%s\\Control\\"
                           "Class\\%s) and has no service, or a disabled one",
                           v2v_cut(filter, max_shown), filter, list,
                           class->name, check->control_set, class->guid);
    if (!is_disk_filter(filter))
        return 0;
    return check_found(check, "hypervisor-filter", err,
                       "%s is in %s of class %s (SYSTEM\\%s\\Control\\Class\\"
                       "%s)",
                       filter, list, class->name, check->control_set,
                       class->guid);
}

static int
judge_list(struct check *check, const struct class *class, const char *list,
           struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key = v2v_format(err, "%s\\Control\\Class\\%s", check->control_set,
                           class->guid);
    V2V_AUTO(strings) struct v2v_strings filters = { 0 };

    if (check_get_strings(check->system, key, list, &filters, err) < 0)
        return -1;
    for (size_t i = 0; i < filters.count && i < max_filters; i++)
        if (strchr(filters.items[i], '\\') == NULL &&
            !v2v_equal_nocase(filters.items[i], judged_as_service) &&
            judge_filter(check, class, list, filters.items[i], err) < 0)
            return -1;
    return 0;
}

static int
filters_on_the_way(struct check *check, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof disk_classes / sizeof *disk_classes; i++)
        if (judge_list(check, &disk_classes[i], "UpperFilters", err) < 0 ||
            judge_list(check, &disk_classes[i], "LowerFilters", err) < 0)
            return -1;
    return 0;
}

/* Virtio drivers of others ------------------------------------------------ */

/* Makers of virtio drivers for their own clouds, as the INFs name them. */
static const char *const makers[] = { "Nutanix", "Oracle",  "SUSE",
                                      "Google",  "Amazon",  "Alibaba",
                                      "Huawei",  "Tencent", "Proxmox" };

/* Names of INFs as virtio-win has them, and as those makers keep them. */
static const char *const virtio_infs[] = { "viostor",  "vioscsi", "netkvm",
                                           "balloon",  "vioser",  "viorng",
                                           "vioinput", "gvnic",   "pvvx" };

static bool
starts_with_one(const char *s, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (v2v_has_prefix_nocase(s, list[i]))
            return true;
    return false;
}

static int
judge_package(struct check *check, const struct facts_package *package,
              struct v2v_error *err)
{
    struct reg_hive *hive = check->in->hives->items[package->hive].hive;
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "DriverDatabase\\DriverPackages\\%s", package->name);
    V2V_AUTO(mem) char *provider = NULL;
    int found;

    if (hive == NULL ||
        !starts_with_one(package->inf_name, virtio_infs,
                         sizeof virtio_infs / sizeof *virtio_infs))
        return 0;
    found = check_get_string(hive, key, "Provider", &provider, err);
    if (found <= 0 ||
        !starts_with_one(provider, makers, sizeof makers / sizeof *makers))
        return found < 0 ? -1 : 0;
    return check_found(check, "foreign-virtio", err,
                       "%.*s (%.*s) is a virtio driver of %.*s",
                       v2v_cut(package->inf_name, max_shown), package->inf_name,
                       v2v_cut(package->oem_inf, max_shown), package->oem_inf,
                       v2v_cut(provider, max_shown), provider);
}

static int
virtio_of_others(struct check *check, struct v2v_error *err)
{
    const struct facts *facts = check->in->facts;

    for (size_t i = 0; i < facts->package_count; i++)
        if (judge_package(check, &facts->packages[i], err) < 0)
            return -1;
    return 0;
}

const check_rule check_hypervisor_rules[] = { filters_on_the_way, services_left,
                                              virtio_of_others, NULL };
