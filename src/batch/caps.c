/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this host has room for. */
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "batch/pool.h"

/* The group's folder under /sys/fs/cgroup: the line "0::/PATH".
 * Source: cgroups(7). */
static bool
find_cgroup(char *ret, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX];
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, "0::", 3) == 0 &&
                snprintf(ret, size, "/sys/fs/cgroup%s", line + 3) < (int)size;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

/* Numbers of a limit's file, as "100000 50000"; "max" is no limit: 0. */
static int
read_limit(const char *folder, const char *name, uint64_t *first,
           uint64_t *second)
{
    char path[PATH_MAX];
    FILE *file;
    int count = 0;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return 0;
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    count = fscanf(file, "%" SCNu64 " %" SCNu64, first, second);
    fclose(file);
    return count;
}

struct limits {
    uint64_t processors; /* UINT64_MAX: none */
    uint64_t memory;     /* bytes that are left */
};

static uint64_t
smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void
look_at_cgroup(const char *folder, struct limits *limits)
{
    uint64_t quota, period, max, used, unused;

    if (read_limit(folder, "cpu.max", &quota, &period) == 2 && period > 0)
        limits->processors =
            smaller(limits->processors, (quota + period - 1) / period);
    if (read_limit(folder, "memory.max", &max, &unused) >= 1 &&
        read_limit(folder, "memory.current", &used, &unused) >= 1)
        limits->memory = smaller(limits->memory, max > used ? max - used : 0);
}

/* A group is held by the limits of those above it as well. */
static void
look_at_cgroups(struct limits *limits)
{
    static const size_t root = sizeof "/sys/fs/cgroup" - 1;
    char folder[PATH_MAX];
    char *slash;

    if (!find_cgroup(folder, sizeof folder))
        return;
    for (;;) {
        look_at_cgroup(folder, limits);
        slash = strrchr(folder, '/');
        if (strlen(folder) <= root || slash == NULL)
            return;
        *slash = '\0';
    }
}

static uint64_t
available_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t kib = 0;

    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) != 1)
            kib = 0;
    if (file != NULL)
        fclose(file);
    return kib << 10;
}

/* More processors than a cpu_set_t has bits: those that are online. */
static uint64_t
usable_processors(void)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (uint64_t)CPU_COUNT(&set);
    return online > 0 ? (uint64_t)online : 1;
}

void
pool_host_caps(struct pool_caps *ret)
{
    struct limits limits = { usable_processors(), available_memory() };
    uint64_t mib;

    look_at_cgroups(&limits);
    mib = (limits.memory >> 20) / 4 * 3;
    *ret = (struct pool_caps){
        .jobs = limits.processors > 0 ? (unsigned)limits.processors : 1,
        .memory_mib = mib < UINT_MAX ? (unsigned)mib : UINT_MAX
    };
}
