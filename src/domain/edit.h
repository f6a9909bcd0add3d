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
    XML_INSERT     /* an element with all that is in it */
};

/* Names need no escaping: they are ours.
 *
 * What is inserted has the quotes of its parent and the indentation of the
 * child in front of it (with none: of the first child); levels inside it go in
 * as far as the document's do.  When the child is not the first of its line,
 * all is on that line.  So it is in a parent without children, unless more
 * goes in than a tag. */
struct xml_edit {
    enum xml_edit_kind kind;
    size_t element; /* concerned; XML_INSERT: the parent */
    size_t attr;    /* XML_SET_ATTR, XML_DROP_ATTR: in doc->attrs */
    size_t after;   /* XML_INSERT: the child before it, XML_NONE for none */
    const char *attr_name; /* XML_ADD_ATTR */
    const char *value; /* XML_SET_ATTR, XML_ADD_ATTR: UTF-8, not yet escaped;
                          XML_INSERT: the element as XML in UTF-8, without
                          namespaces, and text only where no element is */
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

/* insert.c: how an insertion is written. */

/* Appends what goes between the children of a parent that has some. */
int xml_insert_beside(const struct xml_doc *doc, const struct xml_edit *edit,
                      struct v2v_bytes *out, struct v2v_error *err);

/* Appends all that @edits insert into @parent, which has no child. */
int xml_insert_into_childless(const struct xml_doc *doc,
                              const struct xml_edits *edits, size_t parent,
                              struct v2v_bytes *out, struct v2v_error *err);

/* The value of an XML_INSERT; V2V_ERR_INTERNAL when it is none. */
int xml_parse_inserted(const struct xml_edit *edit, struct xml_doc *ret,
                       struct v2v_error *err);

/* The quote of the last attribute of @element, or of the next one around it
 * that has any. */
char xml_quote_at(const struct xml_doc *doc, size_t element);

/* " name='value'" */
int xml_print_attr(const struct xml_doc *doc, char quote, const char *name,
                   const char *value, struct v2v_bytes *out,
                   struct v2v_error *err);

#endif
