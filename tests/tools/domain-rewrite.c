/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rewrites a domain XML as if all drivers had been injected, for
 * tests/cli/domain-corpus.sh.  Says what it did on standard output. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "domain/domain.h"

static const size_t largest_input = 64 << 20;

static int
rewrite(const char *in, const char *out, const struct domain_moved_image *moved,
        struct v2v_error *err)
{
    const struct domain_options options = {
        .drivers = { .viostor = true, .netkvm = true, .balloon = true },
        .moved = moved
    };
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    V2V_AUTO(domain) struct domain *domain = NULL;
    V2V_AUTO(domain_rewrite) struct domain_rewrite result = { 0 };

    if (v2v_file_read(in, largest_input, &xml, err) < 0 ||
        domain_parse(xml.data, xml.len, &domain, err) < 0 ||
        domain_rewrite(domain, &options, &result, err) < 0 ||
        v2v_file_replace(out, result.xml.data, result.xml.len, err) < 0)
        return -1;
    for (size_t i = 0; i < result.change_count; i++)
        printf("%s: %s (%s)\n", result.changes[i].device,
               result.changes[i].what, result.changes[i].why);
    for (size_t i = 0; i < result.warnings.count; i++)
        printf("warning: %s\n", result.warnings.items[i]);
    return 0;
}

int
main(int argc, char **argv)
{
    bool move = argc == 6 && strcmp(argv[1], "--move") == 0;
    struct domain_moved_image moved = { .format = "qcow2" };
    struct v2v_error err = { 0 };

    if (move) {
        moved.from = argv[2];
        moved.to = argv[3];
    } else if (argc != 3) {
        fprintf(stderr, "usage: %s [--move FROM TO] IN.xml OUT.xml\n", argv[0]);
        return V2V_ERR_USAGE;
    }
    if (rewrite(argv[argc - 2], argv[argc - 1], move ? &moved : NULL, &err) <
        0) {
        fprintf(stderr, "%s\n", err.text);
        return (int)err.code;
    }
    return 0;
}
