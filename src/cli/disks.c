/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/disks.h"

#include <string.h>

#include "base/log.h"
#include "domain/source.h"

static int
add_disk(struct cli_disks *disks, const char *path, const char *format,
         struct v2v_error *err)
{
    struct cli_disk *items =
        reallocarray(disks->items, disks->count + 1, sizeof *items);
    struct cli_disk *disk;

    if (items == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    disks->items = items;
    disk = &items[disks->count++];
    *disk = (struct cli_disk){ .path = v2v_strdup(path, err) };
    if (disk->path == NULL)
        return -1;
    if (format == NULL)
        return 0;
    disk->format = v2v_strdup(format, err);
    return disk->format == NULL ? -1 : 0;
}

int
cli_disks_named(const struct cli_options *options, struct cli_disks *ret,
                struct v2v_error *err)
{
    for (size_t i = 0; i < options->images.count; i++)
        if (add_disk(ret, options->images.items[i],
                     cli_image_format(options, i), err) < 0)
            return -1;
    return 0;
}

static void
warn_of_left_out(const char *disk, const char *why)
{
    v2v_warn("cli", "disk-left-out", "disk %s is not looked into: %s", disk,
             why);
}

/* A volume of a data disk may be one that only QEMU can open, as of a pool on
 * the network. */
static int
add_source(struct host *host, const struct domain_source *source,
           struct cli_disks *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = NULL;
    struct v2v_error why = { 0 };

    if (source->path == NULL &&
        host_volume_path(host, source->pool, source->volume, &path, &why) < 0) {
        if (source->boots || why.finding == NULL) {
            *err = why;
            return v2v_fail_in(err, "disk %s", source->disk);
        }
        warn_of_left_out(source->disk, why.text);
        return 0;
    }
    if (add_disk(ret, source->path != NULL ? source->path : path,
                 source->format, err) < 0)
        return -1;
    ret->items[ret->count - 1].beside = !source->boots;
    return 0;
}

static int
refuse_boot_disk(const struct domain_source *source, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_GUEST, "disk-source",
                      "disk %s, which the machine boots from, cannot be opened "
                      "here: %s",
                      source->disk, source->obstacle);
}

int
cli_disks_of_domain(struct host *host, const struct domain *domain,
                    struct cli_disks *ret, struct v2v_error *err)
{
    for (size_t i = 0; i < domain_disk_count(domain); i++) {
        struct domain_source source;

        if (domain_source(domain, i, &source, err) < 0)
            return -1;
        if (source.obstacle == NULL) {
            if (add_source(host, &source, ret, err) < 0)
                return -1;
        } else if (source.boots) {
            return refuse_boot_disk(&source, err);
        } else {
            warn_of_left_out(source.disk, source.obstacle);
        }
    }
    if (ret->count == 0)
        return v2v_refuse(err, V2V_ERR_GUEST, "disk-source",
                          "it has no hard disk that can be opened here");
    return 0;
}

static void
disk_done(struct cli_disk *disk)
{
    free(disk->path);
    free(disk->format);
}

void
cli_disks_leave_out(struct cli_disks *disks, size_t i, const char *why)
{
    warn_of_left_out(disks->items[i].path, why);
    disk_done(&disks->items[i]);
    disks->count--;
    memmove(&disks->items[i], &disks->items[i + 1],
            (disks->count - i) * sizeof *disks->items);
}

void
cli_disks_done(struct cli_disks *disks)
{
    for (size_t i = 0; i < disks->count; i++)
        disk_done(&disks->items[i]);
    free(disks->items);
    *disks = (struct cli_disks){ 0 };
}
