/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transaction-tool IMAGE SEED [-x XML] [-o OUTPUT] [-w WORK-DIR]
 *                  [-d DOMAIN -n XML]
 *
 * One change of an image as "inject" makes it, but of random places instead of
 * a guest: opens and locks the image, fills an overlay, commits it with an undo
 * file.  For the tests that kill it, which an appliance would make too slow.
 * XML is a file that is replaced by a line with SEED; that of -n becomes the
 * definition of DOMAIN in libvirt. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/definition.h"
#include "image/image.h"
#include "image/nbd.h"
#include "sandbox/sandbox.h"

enum { AREAS = 40, AREA_MAX = 200000, AREAS_START = 1 << 20 };

struct job {
    struct image_options options;
    const char *image, *xml, *definition;
    struct cli_options domain; /* of them: domain */
    unsigned seed;
};

/* Areas of any length at any place behind the witness, which is the guest's
 * alone; every fourth becomes zero. */
static int
write_areas(struct nbd_disk *disk, struct v2v_error *err)
{
    static uint8_t buf[AREA_MAX];
    uint64_t size = nbd_disk_size(disk);

    for (int i = 0; i < AREAS; i++) {
        size_t len = 1 + (size_t)rand() % AREA_MAX;
        uint64_t offset = ((uint64_t)rand() << 16 ^ (uint64_t)rand());

        offset = AREAS_START + offset % (size - AREAS_START);
        if (len > size - offset)
            len = (size_t)(size - offset);
        memset(buf, i % 4 == 0 ? 0 : rand(), len);
        if (nbd_disk_write(disk, offset, buf, len, err) < 0)
            return -1;
    }
    return 0;
}

static int
fill(struct image *image, struct v2v_error *err)
{
    V2V_AUTO(nbd_disk) struct nbd_disk *disk = NULL;

    if (nbd_disk_open(image_overlay_path(image), "qcow2", NBD_READ_WRITE,
                      image_files(image), &disk, err) < 0 ||
        write_areas(disk, err) < 0)
        return -1;
    return nbd_disk_close(v2v_steal(disk), err);
}

/* What inject takes from libvirt, and would give back. */
struct taken {
    struct definition_taken old;
    struct domain *domain;
    struct cli_disks disks;
    struct v2v_bytes new;
};

static int
take(const struct job *job, struct taken *taken, struct image_definition *ret,
     struct v2v_error *err)
{
    if (job->definition == NULL)
        return 0;
    if (definition_take(&job->domain, &taken->old, &taken->domain,
                        &taken->disks, err) < 0 ||
        v2v_file_read(job->definition, IMAGE_XML_MAX, &taken->new, err) < 0 ||
        v2v_bytes_add(&taken->new, "", 1, err) < 0)
        return -1;
    *ret = (struct image_definition){ .domain = { taken->old.uri,
                                                  taken->old.domain.uuid,
                                                  taken->old.domain.name },
                                      .old = taken->old.domain.xml,
                                      .xml = (const char *)taken->new.data };
    return 0;
}

static void
taken_done(struct taken *taken)
{
    definition_taken_done(&taken->old);
    domain_free(taken->domain);
    cli_disks_done(&taken->disks);
    v2v_bytes_done(&taken->new);
}

static int
change(const struct job *job, const struct image_definition *definition,
       struct v2v_error *err)
{
    const struct image_witness witness = { "the first sectors", 0, 4096 };
    V2V_AUTO(image) struct image *image = NULL;
    V2V_AUTO(mem) char *text =
        v2v_format(err, "<domain>%u</domain>\n", job->seed);
    V2V_AUTO(mem) char *xml = NULL;
    struct image_change change = { .what = "random places",
                                   .definition = *definition,
                                   .witnesses = &witness,
                                   .witness_count = 1 };

    if (text == NULL ||
        image_open(job->image, &job->options, &image, err) < 0 ||
        image_overlay_create(image, true, err) < 0 || fill(image, err) < 0)
        return -1;
    if (job->xml != NULL) {
        if (image_absolute_name(job->xml, &xml, err) < 0)
            return -1;
        change.xml = (struct image_xml){
            .path = xml, .data = text, .len = strlen(text), .like = xml
        };
    }
    return image_commit(image, &change, err);
}

int
main(int argc, char **argv)
{
    struct job job = { 0 };
    struct taken taken = { 0 };
    struct image_definition definition = { 0 };
    struct v2v_error err = { 0 };
    int option, status = 0;

    while ((option = getopt(argc, argv, "sx:o:w:d:n:")) != -1) {
        job.xml = option == 'x' ? optarg : job.xml;
        job.domain.domain = option == 'd' ? optarg : job.domain.domain;
        job.definition = option == 'n' ? optarg : job.definition;
        job.options.output = option == 'o' ? optarg : job.options.output;
        job.options.work_dir = option == 'w' ? optarg : job.options.work_dir;
        if (option == 's') /* a script stands for qemu-nbd */
            sandbox_set_mode(SANDBOX_OFF);
        if (option == '?')
            return V2V_ERR_USAGE;
    }
    if (argc - optind != 2)
        return V2V_ERR_USAGE;
    job.image = argv[optind];
    job.seed = (unsigned)strtoul(argv[optind + 1], NULL, 10);
    srand(job.seed);
    definition_set_ops(&job.domain);
    if (take(&job, &taken, &definition, &err) < 0 ||
        change(&job, &definition, &err) < 0) {
        fprintf(stderr, "transaction-tool: %s\n", err.text);
        status = (int)err.code;
    }
    taken_done(&taken);
    return status;
}
