/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/moves.h - what the rules of a rewrite share
 *
 * A struct plan collects the edits and what is said about them; the rules for
 * each kind of device (moves-*.c, rewrite.c, add*.c) add to it and change
 * nothing else.  Private to this folder.
 */
#ifndef V2V_DOMAIN_MOVES_H
#define V2V_DOMAIN_MOVES_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/devices.h"
#include "domain/domain.h"
#include "domain/edit.h"

struct plan {
    const struct devices *devices; /* of the input, then of @result */
    const struct xml_doc *doc;     /* of @devices */
    struct domain *result;         /* so far; NULL: nothing was done yet */
    const struct domain_options *options;
    const struct domain_drivers *drivers;   /* of @options */
    const struct domain_moved_image *moved; /* of @options; or NULL */
    struct xml_edits edits;
    struct domain_rewrite out; /* changes and warnings; xml at the end */
    bool disk_moved, nic_moved;
    size_t added_controllers;
    struct v2v_error *err;
};

/* A piece of the input that can be shown: short, one line; a label of a device
 * is such a piece behind a word. */
enum { shown_max = 63 };

struct shown {
    char text[shown_max + 17];
};

struct shown rewrite_show(const char *s);

/* "disk hda" */
struct shown rewrite_disk_label(const struct disk *disk);

/* Add a change or a warning. */
int rewrite_note(struct plan *plan, const struct shown *device, const char *why,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int rewrite_warn(struct plan *plan, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The reason for what is not for a driver. */
extern const char rewrite_asked_for[];

/* Add an edit.  An attribute that is absent is added, and one that has the
 * value already is left. */
int rewrite_set_attr(struct plan *plan, size_t element, const char *name,
                     const char *value);
int rewrite_drop_attr(struct plan *plan, size_t element,
                      const struct xml_attr *a);
int rewrite_drop(struct plan *plan, size_t element);

/* Insert @xml, one element with what is in it, without white space between
 * elements ("<rng model='virtio'><backend ...>/dev/urandom</backend></rng>"):
 * it gets the indentation, quotes, line ends and encoding of the document.
 * @xml is ours: known to be well-formed.  @after: the child of @parent behind
 * which it goes, XML_NONE: in front of all. */
int rewrite_insert_xml(struct plan *plan, size_t parent, size_t after,
                       const char *xml);

/* The same for <name attr='value'/>, where @value needs no escaping yet. */
int rewrite_insert(struct plan *plan, size_t parent, size_t after,
                   const char *name, const char *attr, const char *value);

/* What a virtio device cannot keep of the one it replaces. */
struct rewrite_rule {
    const char *element; /* child of the device */
    const char *attr;    /* of that child; NULL: the child itself */
    bool (*applies)(const struct xml_doc *doc, size_t element); /* NULL: yes */
    const char *why;
};

/* For what becomes a PCI device: addresses on the old bus.  For every device:
 * aliases of libvirt's. */
extern const struct rewrite_rule rewrite_address_rule, rewrite_alias_rule;
extern const struct rewrite_rule rewrite_common_rules[2];

int rewrite_drop_by_rules(struct plan *plan, const struct shown *device,
                          size_t parent, const struct rewrite_rule *rules,
                          size_t count);

/* The rules. */
int rewrite_disks(struct plan *plan);
int rewrite_image(struct plan *plan);
int rewrite_nics(struct plan *plan);
int rewrite_machine(struct plan *plan);

/* Of a document whose interfaces have been moved. */
int rewrite_nic_queues(struct plan *plan);

/* Is @word a model of an emulated network card? */
bool rewrite_is_emulated_nic(const char *word);

#endif
