/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/add.h - what the machine gets when it is asked for
 *
 * One row for each enum domain_feature (add.c); all of them find what is there
 * already and leave it as it is.  They work on a document in which the devices
 * have been moved, so a disk is on virtio when its bus says so.  Private to
 * this folder.
 */
#ifndef V2V_DOMAIN_ADD_H
#define V2V_DOMAIN_ADD_H

#include "domain/moves.h"

/* Adds @feature, or warns that its driver was not injected. */
int rewrite_add(struct plan *plan, enum domain_feature feature);

/* The rules, in add-machine.c and add-disks.c. */
int add_hyperv(struct plan *plan);
int add_hypervclock(struct plan *plan);
int add_discard(struct plan *plan);
int add_iothread(struct plan *plan);

/* The first <inner> of all /domain/<outer> of which @is says yes (NULL: any),
 * or XML_NONE; libvirt reads several <outer> as one. */
size_t add_find(const struct xml_doc *doc, const char *outer, const char *inner,
                bool (*is)(const struct xml_doc *doc, size_t element));

/* Has it this attribute with this value? */
bool add_has(const struct xml_doc *doc, size_t element, const char *attr,
             const char *value);

/* @xml becomes the last child of @parent. */
int add_append(struct plan *plan, size_t parent, const char *xml);

/* @xml becomes a child of the root: behind the first of @names (up to a NULL)
 * that is there. */
int add_to_root(struct plan *plan, const char *const *names, const char *xml);

#endif
