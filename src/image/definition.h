/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/definition.h - the definition of a domain that changes with an image
 *
 * Where it is kept only the functions of image_set_domain_ops() know; here are
 * its names, as the state file and the record of an undo have them:
 *
 *     {"uri": "qemu:///system", "uuid": "...", "name": "win10",
 *      "before": "ab12..."}                  SHA-256 of its XML
 */
#ifndef V2V_IMAGE_DEFINITION_H
#define V2V_IMAGE_DEFINITION_H

#include <jansson.h>

#include "image/digest.h"
#include "image/image.h"

/* All zero is none; it owns its strings. */
struct definition {
    char *uri, *uuid, *name;
    struct digest before; /* of the one that is replaced */
};

int definition_copy(const struct image_definition *from, struct definition *ret,
                    struct v2v_error *err);
void definition_done(struct definition *d);

/* JSON's null for none; NULL when memory runs out. */
json_t *definition_json(const struct definition *d);

/* -1 with V2V_ERR_FORMAT. */
int definition_json_get(const json_t *value, struct definition *ret,
                        struct v2v_error *err);

/* Its XML as it is now: struct image_domain_ops. */
int definition_read(const struct definition *d, char **ret,
                    struct v2v_error *err);

/* Make @xml the definition if it still is that of d->before; @ret: its XML
 * then.  Errors as of struct image_domain_ops. */
int definition_replace(const struct definition *d, const char *xml, char **ret,
                       struct v2v_error *err);

#endif
