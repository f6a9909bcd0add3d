/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/xml.h - an XML document as a table of elements that know their bytes
 *
 * The tokenizer (scan.c) finds where each element and attribute is; libxml2
 * (xml.c) says what they mean.  Both must see the same elements and attributes
 * in the same order, else the document is refused.  Knows nothing of libvirt.
 * Private to this folder.
 */
#ifndef V2V_DOMAIN_XML_H
#define V2V_DOMAIN_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

#define XML_NONE ((size_t)-1) /* no such element */

enum xml_ns {
    XML_NS_NONE,
    XML_NS_QEMU, /* http://libvirt.org/schemas/domain/qemu/1.0 */
    XML_NS_OTHER
};

enum xml_encoding {
    XML_BYTES, /* markup is ASCII: UTF-8 and the 8-bit sets */
    XML_UTF16LE,
    XML_UTF16BE
};

struct xml_attr {
    size_t start;             /* of its name */
    size_t name_len;          /* with prefix */
    size_t value, value_len;  /* between the quotes */
    char quote;               /* ' or " */
    bool declares, qualified; /* xmlns...; has a namespace */
    char *name;               /* local; NULL for a namespace declaration */
    char *text;               /* the value, decoded, UTF-8; NULL likewise */
};

struct xml_element {
    size_t start, end;         /* '<' of the start tag, behind the end tag */
    size_t name_len;           /* with prefix */
    size_t tag_end;            /* behind the '>' of the start tag */
    bool empty;                /* <x/> */
    size_t parent;             /* XML_NONE for the root */
    size_t next;               /* the first element that is not inside it */
    size_t attrs, attrs_count; /* in the table of attributes */
    enum xml_ns ns;
    char *name; /* local */
    char *text; /* of an element that has no element inside; else NULL */
};

/* Elements are in the order of the document: 0 is the root, the first child of
 * element i is i + 1 if that is before its @next. */
struct xml_doc {
    enum xml_encoding encoding;
    bool utf8;             /* @text is; else it is in an 8-bit set */
    struct v2v_bytes text; /* the offsets above are into this; not for UTF-16
                              it is the input itself, else the same in UTF-8 */
    struct xml_element *elements;
    size_t count;
    struct xml_attr *attrs;
    size_t attrs_count;
};

/* Fills @doc from the bytes of a file.  On failure (V2V_ERR_FORMAT, or
 * V2V_ERR_INTERNAL for memory) it is empty. */
int xml_parse(const void *data, size_t len, struct xml_doc *doc,
              struct v2v_error *err);

void xml_done(struct xml_doc *doc);

/* Text in the form of doc->text as the bytes of a file in @encoding. */
int xml_encode(const struct v2v_bytes *text, enum xml_encoding encoding,
               struct v2v_bytes *ret, struct v2v_error *err);

/* Append @text (UTF-8) as it stands in an attribute value of @doc, in quotes of
 * either kind.  V2V_ERR_USAGE: it has what no XML can hold. */
int xml_escape(const struct xml_doc *doc, const char *text,
               struct v2v_bytes *out, struct v2v_error *err);

/* scan.c: doc->text to doc's tables, without name, text and ns.  Refuses a
 * DOCTYPE, and what is past the limits. */
int xml_scan(struct xml_doc *doc, struct v2v_error *err);

/* The next child of @parent behind @child (XML_NONE: the first) that is named
 * so and in no namespace (@name NULL: any element); XML_NONE at the end. */
size_t xml_next(const struct xml_doc *doc, size_t parent, size_t child,
                const char *name);

static inline size_t
xml_child(const struct xml_doc *doc, size_t parent, const char *name)
{
    return parent == XML_NONE ? XML_NONE
                              : xml_next(doc, parent, XML_NONE, name);
}

/* In no namespace; NULL when absent or @element is XML_NONE. */
const struct xml_attr *xml_attr(const struct xml_doc *doc, size_t element,
                                const char *name);
const char *xml_value(const struct xml_doc *doc, size_t element,
                      const char *name);

/* The bytes that offsets are of. */
static inline const char *
xml_text(const struct xml_doc *doc)
{
    return (const char *)doc->text.data;
}

#endif
