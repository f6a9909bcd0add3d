/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domain XML: whatever is accepted can be rewritten, the result is accepted
 * too, and rewriting that changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "domain/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(int rc)
{
    if (rc < 0)
        abort();
}

static void
rewrite(const struct domain *domain, struct domain_rewrite *ret)
{
    static const struct domain_drivers all = { true, true, true };
    struct v2v_error err = { 0 };

    must(domain_rewrite(domain, &all, ret, &err));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    V2V_AUTO(domain) struct domain *domain = NULL, *again = NULL;
    V2V_AUTO(domain_rewrite) struct domain_rewrite first = { 0 };
    V2V_AUTO(domain_rewrite) struct domain_rewrite second = { 0 };
    struct v2v_error err = { 0 };

    if (domain_parse(data, len, &domain, &err) < 0)
        return 0;
    for (size_t i = 0; i < domain_disk_count(domain); i++) {
        const char *source = domain_disk_source(domain, i);

        if (source != NULL && strlen(source) > 3 * len)
            abort();
    }
    rewrite(domain, &first);
    must(domain_parse(first.xml.data, first.xml.len, &again, &err));
    rewrite(again, &second);
    if (second.change_count != 0 || second.xml.len != first.xml.len ||
        memcmp(second.xml.data, first.xml.data, first.xml.len) != 0)
        abort();
    if (first.change_count == 0 &&
        (first.xml.len != len || memcmp(first.xml.data, data, len) != 0))
        abort();
    return 0;
}
