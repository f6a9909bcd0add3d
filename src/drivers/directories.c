/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/directories.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *directory;
    const char *label;
} labels[] = {
    { "w11", "Windows 11" },
    { "w10", "Windows 10" },
    { "w8.1", "Windows 8.1" },
    { "w8", "Windows 8" },
    { "w7", "Windows 7" },
    { "2k25", "Windows Server 2025" },
    { "2k22", "Windows Server 2022" },
    { "2k19", "Windows Server 2019" },
    { "2k16", "Windows Server 2016" },
    { "2k12R2", "Windows Server 2012 R2" },
    { "2k12", "Windows Server 2012" },
    { "2k8R2", "Windows Server 2008 R2" },
};

enum { client, server };

/* The first row whose kind and version are the guest's and whose build is not
 * above the guest's.  After the directory of the guest come those of older
 * Windows of its kind, since a driver for these runs on it, and then those of
 * the other kind, which has the same kernel.  The INF has the last word.
 *
 * Builds: Microsoft, "Windows Server release information" and "Windows 11
 * release information"; 26040 is the first public preview named Server 2025. */
static const struct {
    int kind;
    unsigned major, minor, build;
    const char *directories[7];
} rows[] = {
    { client, 10, 0, 22000, { "w11", "w10" } },
    { client, 10, 0, 0, { "w10" } },
    { client, 6, 3, 0, { "w8.1", "2k12R2" } },
    { client, 6, 2, 0, { "w8", "2k12" } },
    { client, 6, 1, 0, { "w7", "2k8R2" } },
    { server, 10, 0, 26040, { "2k25", "2k22", "2k19", "2k16", "w11", "w10" } },
    { server, 10, 0, 20348, { "2k22", "2k19", "2k16", "w10" } },
    { server, 10, 0, 17763, { "2k19", "2k16", "w10" } },
    { server, 10, 0, 0, { "2k16", "w10" } },
    { server, 6, 3, 0, { "2k12R2", "w8.1" } },
    { server, 6, 2, 0, { "2k12", "w8" } },
    { server, 6, 1, 0, { "2k8R2", "w7" } },
};

const char *const *
directories_for(const struct inf_target *target)
{
    int kind = target->product_type == 1 ? client : server;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].kind == kind && rows[i].major == target->major &&
            rows[i].minor == target->minor && rows[i].build <= target->build)
            return rows[i].directories;
    }
    return NULL;
}

const char *
directory_label(const char *directory)
{
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        if (strcmp(labels[i].directory, directory) == 0)
            return labels[i].label;
    }
    assert(!"a directory of the table above has no label");
    return directory;
}
