/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers-table MEDIUM...
 *
 * For every Windows and architecture what is chosen of all drivers on the
 * media, as text: golden files hold it.  A line a package: directory, version,
 * verdict; or the rule that leaves the driver out, and why.  Secure Boot is
 * off; a '!' after the verdict: this Windows would not load it. */
#include <stdio.h>

#include "drivers/drivers.h"

enum { X86 = INF_ARCH_X86, X64 = INF_ARCH_AMD64, ARM = INF_ARCH_ARM64 };

static const struct {
    const char *label;
    unsigned arch, major, minor, build, product_type;
} windows[] = {
    { "Windows XP", X86, 5, 1, 2600, 1 },
    { "Windows XP x64", X64, 5, 2, 3790, 1 },
    { "Windows Server 2003", X86, 5, 2, 3790, 3 },
    { "Windows Server 2003", X64, 5, 2, 3790, 3 },
    { "Windows Vista", X86, 6, 0, 6002, 1 },
    { "Windows Vista", X64, 6, 0, 6002, 1 },
    { "Windows Server 2008", X86, 6, 0, 6002, 3 },
    { "Windows Server 2008", X64, 6, 0, 6002, 3 },
    { "Windows 7", X86, 6, 1, 7601, 1 },
    { "Windows 7", X64, 6, 1, 7601, 1 },
    { "Windows Server 2008 R2", X64, 6, 1, 7601, 3 },
    { "Windows 8", X86, 6, 2, 9200, 1 },
    { "Windows 8", X64, 6, 2, 9200, 1 },
    { "Windows Server 2012", X64, 6, 2, 9200, 3 },
    { "Windows 8.1", X86, 6, 3, 9600, 1 },
    { "Windows 8.1", X64, 6, 3, 9600, 1 },
    { "Windows Server 2012 R2", X64, 6, 3, 9600, 3 },
    { "Windows 10 1507", X64, 10, 0, 10240, 1 },
    { "Windows 10 1607", X64, 10, 0, 14393, 1 },
    { "Windows 10 1709", X64, 10, 0, 16299, 1 },
    { "Windows 10 22H2", X86, 10, 0, 19045, 1 },
    { "Windows 10 22H2", X64, 10, 0, 19045, 1 },
    { "Windows 10 22H2", ARM, 10, 0, 19045, 1 },
    { "Windows 11 21H2", X64, 10, 0, 22000, 1 },
    { "Windows 11 24H2", X64, 10, 0, 26100, 1 },
    { "Windows 11 24H2", ARM, 10, 0, 26100, 1 },
    { "Windows Server 2016", X64, 10, 0, 14393, 3 },
    { "Windows Server 2019", X64, 10, 0, 17763, 3 },
    { "Windows Server 2022", X64, 10, 0, 20348, 3 },
    { "Windows Server 2025", X64, 10, 0, 26100, 3 },
};

static void
print_choice(const struct drivers_choice *choice)
{
    for (size_t i = 0; i < choice->count; i++) {
        const struct driver_package *p = &choice->items[i];
        const uint16_t *v = p->version.driver_ver.version;

        printf("  %-10s %s %u.%u.%u.%u %s%s%s\n", p->inf_name, p->source, v[0],
               v[1], v[2], v[3], catalog_verdict_word(p->judgement.verdict),
               p->judgement.loads ? "" : "!", p->boot ? " boot" : "");
    }
    for (size_t i = 0; i < choice->missing.count; i++)
        printf("  %-10s - %s: %s\n", choice->missing.items[i],
               drivers_rule_word(choice->missing_rule[i]),
               choice->missing_why.items[i]);
}

static int
print_windows(struct media *const *media, size_t count,
              const struct v2v_strings *names, size_t i, struct v2v_error *err)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    const struct drivers_options any = { .allow_untrusted = true };
    const struct drivers_guest guest = {
        .target = { .arch = (enum inf_arch)windows[i].arch,
                    .major = windows[i].major,
                    .minor = windows[i].minor,
                    .build = windows[i].build,
                    .product_type = windows[i].product_type },
        .os_label = windows[i].label,
        .secure_boot_known = true,
    };

    printf("%s %s\n", windows[i].label, inf_arch_name(guest.target.arch));
    if (drivers_choose(media, count, &guest, names, &any, &choice, err) < 0)
        return -1;
    print_choice(&choice);
    return 0;
}

static int
print_table(struct media *const *media, size_t count, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (drivers_all_names(media, count, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        if (print_windows(media, count, &names, i, err) < 0)
            return -1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct media *media[8] = { NULL };
    struct v2v_error err = { 0 };
    int count = 0, result = 0;

    if (argc < 2 || argc > 9) {
        fprintf(stderr, "usage: %s MEDIUM...\n", argv[0]);
        return 2;
    }
    while (result == 0 && count < argc - 1) {
        result = media_open(argv[count + 1], &media[count], &err);
        count++;
    }
    if (result == 0)
        result = print_table(media, (size_t)count, &err);
    for (int i = 0; i < count; i++)
        media_close(media[i]);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    return result < 0 ? (int)err.code : 0;
}
