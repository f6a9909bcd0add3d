/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rewrites a domain XML as if all drivers had been injected, for
 * tests/cli/domain-corpus.sh and tests/libvirt.  Says what it did on standard
 * output. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "domain/domain.h"

static const size_t largest_input = 64 << 20;

static int
rewrite(const char *in, const char *out, const struct domain_options *options,
        struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    V2V_AUTO(domain) struct domain *domain = NULL;
    V2V_AUTO(domain_rewrite) struct domain_rewrite result = { 0 };

    if (v2v_file_read(in, largest_input, &xml, err) < 0 ||
        domain_parse(xml.data, xml.len, &domain, err) < 0 ||
        domain_rewrite(domain, options, &result, err) < 0 ||
        v2v_file_replace(out, result.xml.data, result.xml.len, err) < 0)
        return -1;
    for (size_t i = 0; i < result.change_count; i++)
        printf("%s: %s (%s)\n", result.changes[i].device,
               result.changes[i].what, result.changes[i].why);
    for (size_t i = 0; i < result.warnings.count; i++)
        printf("warning: %s\n", result.warnings.items[i]);
    return 0;
}

static int
usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--scsi] [--add FEATURE|all]... [--nic-queues N] "
            "[--from OLD-IMAGE --to NEW-IMAGE] IN.xml OUT.xml\n"
            "--scsi: disks go to virtio-scsi\n",
            program);
    return V2V_ERR_USAGE;
}

static bool
add(const char *name, struct domain_options *options)
{
    enum domain_feature feature;

    if (strcmp(name, "all") == 0) {
        for (size_t i = 0; i < DOMAIN_FEATURES; i++)
            options->add[i] = true;
        return true;
    }
    if (!domain_find_feature(name, &feature))
        return false;
    options->add[feature] = true;
    return true;
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        { "scsi", no_argument, NULL, 's' },
        { "from", required_argument, NULL, 'f' },
        { "to", required_argument, NULL, 't' },
        { "add", required_argument, NULL, 'a' },
        { "nic-queues", required_argument, NULL, 'q' },
        { NULL, 0, NULL, 0 },
    };
    struct domain_moved_image moved = { .format = "qcow2" };
    struct domain_options options = {
        .drivers = { .viostor = true,
                     .netkvm = true,
                     .balloon = true,
                     .vioserial = true,
                     .viorng = true,
                     .pvpanic = true },
    };
    struct v2v_error err = { 0 };
    int c;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (c == 's')
            options.virtio_scsi = options.drivers.vioscsi = true;
        else if (c == 'f')
            moved.from = optarg;
        else if (c == 't')
            moved.to = optarg;
        else if (c == 'q')
            options.nic_queues = (unsigned)strtoul(optarg, NULL, 10);
        else if (c != 'a' || !add(optarg, &options))
            return usage(argv[0]);
    }
    if (argc - optind != 2 || (moved.from == NULL) != (moved.to == NULL))
        return usage(argv[0]);
    if (moved.from != NULL)
        options.moved = &moved;
    if (rewrite(argv[optind], argv[optind + 1], &options, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return (int)err.code;
    }
    return 0;
}
