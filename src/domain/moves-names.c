/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the disks that move, so that the machine boots what it booted. */
#include "domain/moves-disks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *bus, *prefix;
} goals[] = {
    [DISK_TO_BLK] = { "virtio", "vd" },
    [DISK_TO_SCSI] = { "scsi", "sd" },
};

/* Does it look like one for @goal?  "vda1" would be a partition. */
static bool
suits(const char *name, enum disk_goal goal)
{
    size_t n = strlen(goals[goal].prefix);

    return strncmp(name, goals[goal].prefix, n) == 0 && name[n] != '\0' &&
           name[n + strspn(name + n, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

/* A name must be unique among all disks, whatever their bus. */
static bool
name_is_taken(const struct new_disks *new, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (new->disks[i].dev != NULL && strcmp(new->disks[i].dev, name) == 0)
            return true;
    return false;
}

/* The index behind those of all disks on the bus that have a name. */
static long
behind(const struct new_disks *new, size_t count, enum disk_goal goal)
{
    long index = 0;

    for (size_t i = 0; i < count; i++)
        if (new->disks[i].dev != NULL &&new->disks[i].index >= index &&
            strcmp(new->disks[i].bus, goals[goal].bus) == 0)
            index = new->disks[i].index + 1;
    return index;
}

/* One way of naming. */
struct attempt {
    bool keep;   /* a name that suits the new bus */
    bool behind; /* new names: behind the others of that bus; else lowest */
};

/* The disks on their new buses; dev is NULL where a name has to be found. */
static void
move_to_buses(const struct plan *plan, const struct attempt *attempt,
              struct new_disks *new)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *old = &plan->devices->disks[i];
        enum disk_goal goal = rewrite_disk_goal(old, plan->options);
        struct disk *d = &new->disks[i];

        *d = *old;
        if (goal == DISK_STAYS || strcmp(old->bus, goals[goal].bus) == 0)
            continue;
        d->bus = goals[goal].bus;
        if (!attempt->keep || !suits(old->dev, goal))
            d->dev = NULL;
    }
}

/* In libvirt's order, so that the disks keep theirs among themselves. */
static void
allot_names(const struct plan *plan, const size_t *order,
            const struct attempt *attempt, struct new_disks *new)
{
    size_t count = plan->devices->disk_count;
    long next[] = { [DISK_TO_BLK] = 0, [DISK_TO_SCSI] = 0 };

    move_to_buses(plan, attempt, new);
    if (attempt->behind) {
        next[DISK_TO_BLK] = behind(new, count, DISK_TO_BLK);
        next[DISK_TO_SCSI] = behind(new, count, DISK_TO_SCSI);
    }
    for (size_t i = 0; i < count; i++) {
        size_t place = order[i];
        enum disk_goal goal =
            rewrite_disk_goal(&plan->devices->disks[place], plan->options);
        struct disk_name *name = &new->names[place];

        if (new->disks[place].dev != NULL)
            continue;
        do
            *name = devices_name(goals[goal].prefix, next[goal]++);
        while (name_is_taken(new, count, name->text));
        new->disks[place].index = next[goal] - 1;
        new->disks[place].dev = name->text;
    }
}

static bool
same_sequence(const struct boot_sequence *a, const struct boot_sequence *b)
{
    return a->count == b->count && memcmp(a->elements, b->elements,
                                          a->count * sizeof *a->elements) == 0;
}

/* First the smallest change; if that would boot another disk, all new names in
 * the old order, and those behind all disks that are there.  If nothing keeps
 * the sequence, it is the first again. */
int
rewrite_name_disks(struct plan *plan, const struct boot_sequence *before,
                   struct new_disks *new, bool *ret_kept)
{
    static const struct attempt attempts[] = { { .keep = true },
                                               { .keep = false },
                                               { .behind = true },
                                               { .keep = true } };
    const struct devices *devices = plan->devices;
    V2V_AUTO(mem) size_t *order =
        calloc(devices->disk_count + 1, sizeof *order);
    struct boot_sequence after;

    if (order == NULL)
        return v2v_fail_errno(plan->err, errno, "disks");
    devices_order(devices->disks, devices->disk_count, order);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        allot_names(plan, order, &attempts[i], new);
        if (devices_boot_sequence(devices, new->disks, &after, plan->err) < 0)
            return -1;
        *ret_kept =
            devices_have_boot_order(devices) || same_sequence(before, &after);
        if (*ret_kept)
            break;
    }
    return 0;
}

static int
drop_os_boot(struct plan *plan)
{
    size_t os = xml_child(plan->doc, 0, "os");
    size_t boot = xml_child(plan->doc, os, "boot");

    for (; boot != XML_NONE; boot = xml_next(plan->doc, os, boot, "boot"))
        if (rewrite_drop(plan, boot) < 0)
            return -1;
    return 0;
}

/* libvirt refuses <os><boot> beside orders of devices. */
int
rewrite_boot_order(struct plan *plan, const struct boot_sequence *seq)
{
    static const struct shown label = { "boot" };

    for (size_t i = 0; i < seq->count; i++) {
        size_t device = seq->elements[i];
        size_t after = xml_child(plan->doc, device, "target");
        char order[24];

        if (after == XML_NONE)
            after = xml_child(plan->doc, device, "source");
        snprintf(order, sizeof order, "%zu", i + 1);
        if (rewrite_insert(plan, device, after, "boot", "order", order) < 0)
            return -1;
    }
    if (drop_os_boot(plan) < 0)
        return -1;
    return rewrite_note(
        plan, &label,
        "libvirt would boot another disk: it sorts the disks of a bus "
        "by name",
        "os boot -> boot order of %zu device(s)", seq->count);
}
