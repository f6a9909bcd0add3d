/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/machine.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "domain/new.h"

/* What struct domain_guest borrows. */
struct guest {
    struct domain_guest of;
    struct domain_guest_disk *disks;
    struct v2v_strings paths;
    char *name;
};

static void
auto_guest(struct guest *guest)
{
    v2v_strings_done(&guest->paths);
    free(guest->disks);
    free(guest->name);
}

/* The disk that the firmware starts from: Windows may be on another. */
static size_t
boot_disk(const struct facts *facts)
{
    return facts->boot_volume != FACTS_NO_VOLUME
               ? facts->volumes[facts->boot_volume].disk
               : facts->disk;
}

/* The image at @i as it will be: an output takes the place of the first. */
static int
add_disk(const struct session *session, const struct report *report, size_t i,
         struct guest *guest, struct v2v_error *err)
{
    const char *output = i == 0 ? report->options->output : NULL;
    struct domain_guest_disk *disk = &guest->disks[guest->of.disk_count++];
    V2V_AUTO(mem) char *path = NULL;
    struct stat st;

    if (image_absolute_name(output != NULL ? output
                                           : report->disks.items[i].path,
                            &path, err) < 0 ||
        v2v_strings_add(&guest->paths, path, err) < 0)
        return -1;
    disk->path = guest->paths.items[guest->paths.count - 1];
    disk->format = output != NULL ? "qcow2" : image_format(session->images[i]);
    disk->block = stat(path, &st) == 0 && S_ISBLK(st.st_mode);
    return 0;
}

static int
add_disks(const struct session *session, const struct report *report,
          struct guest *guest, struct v2v_error *err)
{
    size_t first = boot_disk(&report->facts);

    guest->disks = calloc(session->image_count, sizeof *guest->disks);
    if (guest->disks == NULL)
        return v2v_fail_errno(err, errno, "disks");
    guest->of.disks = guest->disks;
    if (add_disk(session, report, first, guest, err) < 0)
        return -1;
    for (size_t i = 0; i < session->image_count; i++)
        if (i != first && add_disk(session, report, i, guest, err) < 0)
            return -1;
    return 0;
}

static struct domain_windows
windows_of(const struct facts *facts)
{
    return (struct domain_windows){
        .major = facts->target.major,
        .minor = facts->target.minor,
        .build = facts->target.build,
        .server = facts->target.product_type != 1,
        .r2 = facts->product_name != NULL &&
              strstr(facts->product_name, "R2") != NULL,
    };
}

static int
describe(const struct session *session, const struct report *report,
         struct guest *ret, struct v2v_error *err)
{
    const struct facts *facts = &report->facts;
    const char *output = report->options->output;

    if (domain_new_name(output != NULL ? output : report_image(report),
                        &ret->name, err) < 0)
        return -1;
    ret->of = (struct domain_guest){
        .name = ret->name,
        .windows = windows_of(facts),
        .amd64 = facts->target.arch == INF_ARCH_AMD64,
        .efi = facts->disks[boot_disk(facts)].table == DISK_TABLE_GPT,
    };
    return add_disks(session, report, ret, err);
}

/* As if it had been rewritten from none. */
static int
note_new(const char *name, struct domain_rewrite *rewrite,
         struct v2v_error *err)
{
    struct domain_change *change = calloc(1, sizeof *change);

    if (change == NULL)
        return v2v_fail_errno(err, errno, "a change");
    rewrite->changes = change;
    rewrite->change_count = 1;
    change->device = v2v_format(err, "domain %s", name);
    change->what = v2v_strdup("new", err);
    change->why = v2v_strdup("there was no domain XML", err);
    return change->device == NULL || change->what == NULL || change->why == NULL
               ? -1
               : 0;
}

int
machine_make(const struct session *session, struct report *report,
             const struct domain_options *wanted, struct v2v_error *err)
{
    __attribute__((cleanup(auto_guest))) struct guest guest = { 0 };

    if (describe(session, report, &guest, err) < 0)
        return -1;
    if (report->options->output_xml == NULL) {
        report->has_virt_install = true;
        return domain_virt_install(&guest.of, wanted, &report->virt_install,
                                   err);
    }
    report->has_rewrite = true;
    if (domain_new(&guest.of, wanted, &report->rewrite.xml, err) < 0 ||
        note_new(guest.name, &report->rewrite, err) < 0)
        return v2v_fail_in(err, "%s", report->options->output_xml);
    return 0;
}
