/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/definition.h"

#include <stdint.h>
#include <string.h>

int
definition_take(const struct cli_options *options, struct definition_taken *ret,
                struct domain **domain, struct cli_disks *disks,
                struct v2v_error *err)
{
    V2V_AUTO(host) struct host *host = NULL;

    if (host_connect(options->connect, &host, err) < 0)
        return -1;
    ret->uri = v2v_strdup(host_uri(host), err);
    if (ret->uri == NULL ||
        host_take(host, options->domain, &ret->domain, err) < 0)
        return -1;
    if (domain_parse(ret->domain.xml, strlen(ret->domain.xml), domain, err) <
            0 ||
        cli_disks_of_domain(host, *domain, disks, err) < 0)
        return v2v_fail_in(err, "domain %s", ret->domain.name);
    return 0;
}

void
definition_taken_done(struct definition_taken *taken)
{
    free(taken->uri);
    host_domain_done(&taken->domain);
    *taken = (struct definition_taken){ 0 };
}

int
definition_check(const struct cli_options *options,
                 const struct definition_taken *taken, const char *xml,
                 struct v2v_error *err)
{
    V2V_AUTO(host) struct host *host = NULL;
    V2V_AUTO(host_domain) struct host_domain now = { 0 };

    if (host_connect(options->connect, &host, err) < 0 ||
        host_take(host, taken->domain.uuid, &now, err) < 0)
        return -1;
    if (strcmp(now.xml, taken->domain.xml) != 0)
        return v2v_refuse(err, V2V_ERR_BUSY, "domain-changed",
                          "the definition of domain %s was edited meanwhile: "
                          "try again",
                          now.name);
    return host_accepts(host, now.xml, xml, err);
}

/* For image/ -------------------------------------------------------------- */

static int
connect_for(const struct cli_options *options,
            const struct image_domain *domain, struct host **ret,
            struct v2v_error *err)
{
    if (host_connect(options->connect != NULL ? options->connect : domain->uri,
                     ret, err) < 0)
        return v2v_fail_in(err, "domain %s", domain->name);
    return 0;
}

static int
read_definition(void *opaque, const struct image_domain *domain, char **ret,
                struct v2v_error *err)
{
    V2V_AUTO(host) struct host *host = NULL;
    V2V_AUTO(host_domain) struct host_domain now = { 0 };
    struct v2v_error why = { 0 };

    if (connect_for(opaque, domain, &host, err) < 0)
        return -1;
    if (host_take(host, domain->uuid, &now, &why) == 0) {
        *ret = v2v_steal(now.xml);
        return 0;
    }
    if (why.finding != NULL && strcmp(why.finding, "domain-not-found") == 0)
        why.code = V2V_ERR_NOT_FOUND;
    if (err != NULL)
        *err = why;
    return -1;
}

static int
replace_definition(void *opaque, const struct image_domain *domain,
                   const char *old, const char *xml, char **ret,
                   struct v2v_error *err)
{
    V2V_AUTO(host) struct host *host = NULL;

    if (connect_for(opaque, domain, &host, err) < 0)
        return -1;
    return host_define(host, domain->uuid, old, xml, ret, err);
}

void
definition_set_ops(const struct cli_options *options)
{
    static struct image_domain_ops ops = { .read = read_definition,
                                           .define = replace_definition };

    ops.opaque = (void *)(uintptr_t)options; /* only read */
    image_set_domain_ops(&ops);
}
