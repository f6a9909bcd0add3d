/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/edit.h - changes of an XML document as values
 *
 * An edit says what shall be different in terms of elements and attributes.
 * Applying turns the edits into splices of the document's bytes; checking
 * compares the parsed result with the edits, so that a wrong splice is found
 * whatever it did.  Private to this folder.
 */
#ifndef V2V_DOMAIN_EDIT_H
#define V2V_DOMAIN_EDIT_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"
#include "domain/xml.h"

enum xml_edit_kind {
    XML_SET_ATTR,  /* keeps its quotes */
    XML_ADD_ATTR,  /* behind the last one, in its quotes */
    XML_DROP_ATTR, /* with the blanks in front of it */
    XML_DROP,      /* an element; with its line, if it has that for itself */
    XML_INSERT     /* <name attr='value'/>, indented as the one before it */
};

/* Names need no escaping: they are ours. */
struct xml_edit {
    enum xml_edit_kind kind;
    size_t element;   /* concerned; XML_INSERT: the parent */
    size_t attr;      /* XML_SET_ATTR, XML_DROP_ATTR: in doc->attrs */
    size_t after;     /* XML_INSERT: the child before it, XML_NONE for none */
    const char *name; /* XML_INSERT: of the element */
    const char *attr_name; /* XML_ADD_ATTR, XML_INSERT */
    const char *value; /* XML_SET_ATTR, XML_ADD_ATTR, XML_INSERT: UTF-8, not yet
                    escaped */
};

/* All zero is an empty list, which owns the values in it.  No two edits may
 * concern the same bytes. */
struct xml_edits {
    struct xml_edit *items;
    size_t count;
};

/* @edit's value is copied. */
int xml_edits_add(struct xml_edits *edits, const struct xml_edit *edit,
                  struct v2v_error *err);

void xml_edits_done(struct xml_edits *edits);

static inline void
v2v_auto_xml_edits(struct xml_edits *edits)
{
    xml_edits_done(edits);
}

/* The bytes of @doc's file after the edits; V2V_ERR_USAGE for a value that no
 * XML can hold. */
int xml_apply(const struct xml_doc *doc, const struct xml_edits *edits,
              struct v2v_bytes *ret, struct v2v_error *err);

/* Is @result what @doc becomes by the edits?  0, or -1 with
 * V2V_ERR_INTERNAL. */
int xml_check(const struct xml_doc *doc, const struct xml_edits *edits,
              const struct xml_doc *result, struct v2v_error *err);

#endif
