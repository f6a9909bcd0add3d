/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/definition.h"

#include <string.h>

#include "base/text.h"

static const struct image_domain_ops *ops;

void
image_set_domain_ops(const struct image_domain_ops *domain_ops)
{
    ops = domain_ops;
}

static int
set_domain(struct definition *d, const char *uri, const char *uuid,
           const char *name, struct v2v_error *err)
{
    d->uri = v2v_strdup(uri, err);
    d->uuid = v2v_strdup(uuid, err);
    d->name = v2v_strdup(name, err);
    return d->uri == NULL || d->uuid == NULL || d->name == NULL ? -1 : 0;
}

int
definition_copy(const struct image_definition *from, struct definition *ret,
                struct v2v_error *err)
{
    if (from->domain.uuid == NULL)
        return 0;
    if (set_domain(ret, from->domain.uri, from->domain.uuid, from->domain.name,
                   err) < 0)
        return -1;
    return digest_of_bytes(from->old, strlen(from->old), &ret->before, err);
}

void
definition_done(struct definition *d)
{
    free(d->uri);
    free(d->uuid);
    free(d->name);
    *d = (struct definition){ 0 };
}

json_t *
definition_json(const struct definition *d)
{
    char before[2 * DIGEST_LEN + 1];

    if (d->uuid == NULL)
        return json_null();
    digest_print(&d->before, before);
    return json_pack("{s:s, s:s, s:s, s:s}", "uri", d->uri, "uuid", d->uuid,
                     "name", d->name, "before", before);
}

int
definition_json_get(const json_t *value, struct definition *ret,
                    struct v2v_error *err)
{
    const char *uri = json_string_value(json_object_get(value, "uri"));
    const char *uuid = json_string_value(json_object_get(value, "uuid"));
    const char *name = json_string_value(json_object_get(value, "name"));
    const char *before = json_string_value(json_object_get(value, "before"));

    if (value == NULL || json_is_null(value))
        return 0;
    if (uri == NULL || uuid == NULL || name == NULL ||
        !digest_parse(before, &ret->before))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the domain's uri, uuid, name or SHA-256 is damaged");
    return set_domain(ret, uri, uuid, name, err);
}

static struct image_domain
domain_of(const struct definition *d)
{
    return (struct image_domain){ d->uri, d->uuid, d->name };
}

int
definition_read(const struct definition *d, char **ret, struct v2v_error *err)
{
    const struct image_domain domain = domain_of(d);

    if (ops == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "libvirt is not known here");
    return ops->read(ops->opaque, &domain, ret, err);
}

int
definition_replace(const struct definition *d, const char *xml, char **ret,
                   struct v2v_error *err)
{
    const struct image_domain domain = domain_of(d);
    V2V_AUTO(mem) char *now = NULL;
    struct digest digest;

    if (definition_read(d, &now, err) < 0 ||
        digest_of_bytes(now, strlen(now), &digest, err) < 0)
        return -1;
    return ops->define(ops->opaque, &domain,
                       digest_equal(&digest, &d->before) ? now : NULL, xml, ret,
                       err);
}
