/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* libvirt's largest test document has some hundred elements.  The limits keep
 * libxml2, which sees only what passed here, from quadratic work. */
enum {
    max_depth = 256,
    max_elements = 1 << 17,
    max_attrs = 1 << 18,
    max_attrs_of_element = 256
};

struct scan {
    struct xml_doc *doc;
    const char *s;
    size_t len, pos;
    size_t open; /* innermost open element, XML_NONE outside the root */
    size_t depth;
    struct v2v_error *err;
};

static size_t
line_of(const struct scan *scan, size_t pos)
{
    size_t line = 1;

    for (size_t i = 0; i < pos && i < scan->len; i++)
        line += scan->s[i] == '\n';
    return line;
}

static int
malformed(const struct scan *scan, size_t pos, const char *why)
{
    return v2v_fail(scan->err, V2V_ERR_FORMAT,
                    "not well-formed XML: line %zu: %s", line_of(scan, pos),
                    why);
}

static int
beyond(const struct scan *scan, const char *what, int limit)
{
    return v2v_fail(scan->err, V2V_ERR_FORMAT, "line %zu: %s of %d",
                    line_of(scan, scan->pos), what, limit);
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Name characters are libxml2's business; here a name ends where it must. */
static bool
ends_name(char c)
{
    return is_space(c) || strchr("<>/=\"'&", c) != NULL;
}

static bool
at(const struct scan *scan, const char *what)
{
    size_t n = strlen(what);

    return scan->len - scan->pos >= n &&
           memcmp(scan->s + scan->pos, what, n) == 0;
}

static size_t
skip_space(struct scan *scan)
{
    size_t start = scan->pos;

    while (scan->pos < scan->len && is_space(scan->s[scan->pos]))
        scan->pos++;
    return scan->pos - start;
}

static size_t
skip_name(struct scan *scan)
{
    size_t start = scan->pos;

    while (scan->pos < scan->len && !ends_name(scan->s[scan->pos]))
        scan->pos++;
    return scan->pos - start;
}

static int
skip_past(struct scan *scan, const char *open, const char *close,
          const char *unclosed)
{
    size_t from = scan->pos + strlen(open);
    const char *end =
        memmem(scan->s + from, scan->len - from, close, strlen(close));

    if (end == NULL)
        return malformed(scan, scan->pos, unclosed);
    scan->pos = (size_t)(end - scan->s) + strlen(close);
    return 0;
}

static struct xml_element *
new_element(struct scan *scan)
{
    struct xml_doc *doc = scan->doc;
    void *p;

    /* the tables double: at powers of two they are full */
    if ((doc->count & (doc->count - 1)) == 0) {
        p = reallocarray(doc->elements, doc->count ? doc->count * 2 : 1,
                         sizeof *doc->elements);
        if (p == NULL) {
            v2v_error_set_errno(scan->err, errno, "XML elements");
            return NULL;
        }
        doc->elements = p;
    }
    doc->elements[doc->count] = (struct xml_element){ 0 };
    return &doc->elements[doc->count++];
}

static struct xml_attr *
new_attr(struct scan *scan)
{
    struct xml_doc *doc = scan->doc;
    void *p;

    if ((doc->attrs_count & (doc->attrs_count - 1)) == 0) {
        p = reallocarray(doc->attrs,
                         doc->attrs_count ? doc->attrs_count * 2 : 1,
                         sizeof *doc->attrs);
        if (p == NULL) {
            v2v_error_set_errno(scan->err, errno, "XML attributes");
            return NULL;
        }
        doc->attrs = p;
    }
    doc->attrs[doc->attrs_count] = (struct xml_attr){ 0 };
    return &doc->attrs[doc->attrs_count++];
}

static bool
declares_namespace(const char *name, size_t len)
{
    return (len == 5 && memcmp(name, "xmlns", 5) == 0) ||
           (len > 6 && memcmp(name, "xmlns:", 6) == 0);
}

/* name = "value" */
static int
scan_attr(struct scan *scan)
{
    struct xml_attr *a = new_attr(scan);
    const char *end;

    if (a == NULL)
        return -1;
    a->start = scan->pos;
    a->name_len = skip_name(scan);
    a->declares = declares_namespace(scan->s + a->start, a->name_len);
    skip_space(scan);
    if (a->name_len == 0 || !at(scan, "="))
        return malformed(scan, a->start, "bad attribute");
    scan->pos++;
    skip_space(scan);
    if (!at(scan, "'") && !at(scan, "\""))
        return malformed(scan, a->start, "attribute value without quotes");
    a->quote = scan->s[scan->pos++];
    a->value = scan->pos;
    end = memchr(scan->s + scan->pos, a->quote, scan->len - scan->pos);
    if (end == NULL)
        return malformed(scan, a->start, "attribute value without an end");
    a->value_len = (size_t)(end - scan->s) - a->value;
    if (memchr(scan->s + a->value, '<', a->value_len) != NULL)
        return malformed(scan, a->start, "'<' in an attribute value");
    scan->pos = a->value + a->value_len + 1;
    return 0;
}

static void
close_element(struct scan *scan)
{
    struct xml_element *e = &scan->doc->elements[scan->open];

    e->end = scan->pos;
    e->next = scan->doc->count;
    scan->open = e->parent;
    scan->depth--;
}

static int
scan_attrs(struct scan *scan, struct xml_element *e)
{
    while (skip_space(scan) > 0 && !at(scan, ">") && !at(scan, "/>")) {
        if (e->attrs_count == max_attrs_of_element)
            return beyond(scan, "an element has more attributes than the limit",
                          max_attrs_of_element);
        if (scan->doc->attrs_count == max_attrs)
            return beyond(scan, "more attributes than the limit", max_attrs);
        if (scan_attr(scan) < 0)
            return -1;
        e->attrs_count++;
    }
    return 0;
}

static int
scan_start_tag(struct scan *scan)
{
    struct xml_element *e;

    if (scan->open == XML_NONE && scan->doc->count > 0)
        return malformed(scan, scan->pos, "a second root element");
    if (scan->depth == max_depth)
        return beyond(scan, "nested deeper than the limit", max_depth);
    if (scan->doc->count == max_elements)
        return beyond(scan, "more elements than the limit", max_elements);
    if ((e = new_element(scan)) == NULL)
        return -1;
    e->parent = scan->open;
    e->start = scan->pos++;
    e->name_len = skip_name(scan);
    e->attrs = scan->doc->attrs_count;
    if (e->name_len == 0)
        return malformed(scan, e->start, "'<' without a name");
    if (scan_attrs(scan, e) < 0)
        return -1;
    e->empty = at(scan, "/>");
    if (!e->empty && !at(scan, ">"))
        return malformed(scan, e->start, "start tag without an end");
    scan->pos += e->empty ? 2 : 1;
    e->tag_end = scan->pos;
    scan->open = (size_t)(e - scan->doc->elements);
    scan->depth++;
    if (e->empty)
        close_element(scan);
    return 0;
}

static int
scan_end_tag(struct scan *scan)
{
    const struct xml_element *e;
    size_t start = scan->pos, name = start + 2, len;

    scan->pos = name;
    len = skip_name(scan);
    skip_space(scan);
    if (scan->open == XML_NONE || !at(scan, ">"))
        return malformed(scan, start, "bad end tag");
    scan->pos++;
    e = &scan->doc->elements[scan->open];
    if (len != e->name_len ||
        memcmp(scan->s + name, scan->s + e->start + 1, len) != 0)
        return malformed(scan, start, "end tag of another element");
    close_element(scan);
    return 0;
}

static int
scan_markup(struct scan *scan)
{
    if (at(scan, "<!--"))
        return skip_past(scan, "<!--", "-->", "comment without an end");
    if (at(scan, "<?"))
        return skip_past(scan, "<?", "?>",
                         "processing instruction without an end");
    if (at(scan, "<![CDATA[") && scan->open != XML_NONE)
        return skip_past(scan, "<![CDATA[", "]]>", "CDATA without an end");
    if (at(scan, "<!DOCTYPE"))
        return v2v_fail(scan->err, V2V_ERR_FORMAT,
                        "line %zu: a DOCTYPE is not accepted: its entities "
                        "could hide what libvirt sees",
                        line_of(scan, scan->pos));
    if (at(scan, "</"))
        return scan_end_tag(scan);
    return scan_start_tag(scan);
}

int
xml_scan(struct xml_doc *doc, struct v2v_error *err)
{
    struct scan scan = { .doc = doc,
                         .s = (const char *)doc->text.data,
                         .len = doc->text.len,
                         .open = XML_NONE,
                         .err = err };

    if (at(&scan, "\xef\xbb\xbf")) /* BOM */
        scan.pos += 3;
    while (scan.pos < scan.len) {
        if (scan.open == XML_NONE)
            skip_space(&scan);
        else
            while (scan.pos < scan.len && scan.s[scan.pos] != '<')
                scan.pos++;
        if (scan.pos == scan.len)
            break;
        if (scan.s[scan.pos] != '<')
            return malformed(&scan, scan.pos, "text outside the root element");
        if (scan_markup(&scan) < 0)
            return -1;
    }
    if (doc->count == 0)
        return malformed(&scan, scan.len, "no element");
    if (scan.open != XML_NONE)
        return malformed(&scan, doc->elements[scan.open].start,
                         "element without an end");
    return 0;
}
