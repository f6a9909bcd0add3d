/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rewrites a domain XML as if all drivers had been injected, for
 * tests/cli/domain-corpus.sh.  Says what it did on standard output. */
#include <stdio.h>

#include "base/bytes.h"
#include "domain/domain.h"

static const size_t largest_input = 64 << 20;

static int
rewrite(const char *in, const char *out, struct v2v_error *err)
{
    static const struct domain_drivers all = { true, true, true };
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    V2V_AUTO(domain) struct domain *domain = NULL;
    V2V_AUTO(domain_rewrite) struct domain_rewrite result = { 0 };

    if (v2v_file_read(in, largest_input, &xml, err) < 0 ||
        domain_parse(xml.data, xml.len, &domain, err) < 0 ||
        domain_rewrite(domain, &all, &result, err) < 0 ||
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
    struct v2v_error err = { 0 };

    if (argc != 3) {
        fprintf(stderr, "usage: %s IN.xml OUT.xml\n", argv[0]);
        return V2V_ERR_USAGE;
    }
    if (rewrite(argv[1], argv[2], &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return (int)err.code;
    }
    return 0;
}
