/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An element that is inserted looks as if it had always been at its place. */
#include <string.h>

#include "domain/edit.h"

/* Bounds what hostile blanks are multiplied to; people indent by less. */
enum { max_blanks = 256, max_unit = 16 };

struct run {
    const char *s;
    size_t len;
};

/* How the elements around a place are written. */
struct looks {
    char quote;
    struct run line; /* line end and blanks before it; empty: all is on one */
    struct run unit; /* more blanks for each level */
    size_t depth;    /* levels that @line lacks */
};

/* The line end and the blanks in front of @pos; empty when it is not the first
 * of its line. */
static struct run
line_before(const struct xml_doc *doc, size_t pos)
{
    const char *s = xml_text(doc);
    size_t start = pos;

    while (start > 0 && (s[start - 1] == ' ' || s[start - 1] == '\t'))
        start--;
    if (start == 0 || s[start - 1] != '\n' || pos - start > max_blanks)
        return (struct run){ s, 0 };
    start--;
    if (start > 0 && s[start - 1] == '\r')
        start--;
    return (struct run){ s + start, pos - start };
}

static struct run
line_of(const struct xml_doc *doc, size_t element)
{
    return line_before(doc, doc->elements[element].start);
}

static struct run
blanks_of(struct run line)
{
    size_t skip = 0;

    while (skip < line.len && strchr("\r\n", line.s[skip]) != NULL)
        skip++;
    return (struct run){ line.s + skip, line.len - skip };
}

/* How much further in than its parent @element is, or if that cannot be said
 * the next one around it; else as libvirt writes. */
static struct run
unit_at(const struct xml_doc *doc, size_t element)
{
    for (; doc->elements[element].parent != XML_NONE;
         element = doc->elements[element].parent) {
        size_t parent = doc->elements[element].parent;
        struct run line = line_of(doc, element);
        struct run inner = blanks_of(line);
        struct run outer = blanks_of(line_of(doc, parent));

        if (line.len > 0 && inner.len >= outer.len &&
            inner.len - outer.len <= max_unit &&
            memcmp(inner.s, outer.s, outer.len) == 0)
            return (struct run){ inner.s + outer.len, inner.len - outer.len };
    }
    return (struct run){ "  ", 2 };
}

char
xml_quote_at(const struct xml_doc *doc, size_t element)
{
    for (; element != XML_NONE; element = doc->elements[element].parent) {
        const struct xml_element *e = &doc->elements[element];

        if (e->attrs_count > 0)
            return doc->attrs[e->attrs + e->attrs_count - 1].quote;
    }
    return '\'';
}

int
xml_print_attr(const struct xml_doc *doc, char quote, const char *name,
               const char *value, struct v2v_bytes *out, struct v2v_error *err)
{
    if (v2v_bytes_printf(out, err, " %s=%c", name, quote) < 0 ||
        xml_escape(doc, value, out, err) < 0)
        return -1;
    return v2v_bytes_add(out, &quote, 1, err);
}

static int
print_line(const struct looks *looks, size_t depth, struct v2v_bytes *out,
           struct v2v_error *err)
{
    if (looks->line.len == 0)
        return 0;
    if (v2v_bytes_add(out, looks->line.s, looks->line.len, err) < 0)
        return -1;
    for (depth += looks->depth; depth > 0; depth--)
        if (v2v_bytes_add(out, looks->unit.s, looks->unit.len, err) < 0)
            return -1;
    return 0;
}

static size_t
depth_of(const struct xml_doc *doc, size_t element)
{
    size_t depth = 0;

    while ((element = doc->elements[element].parent) != XML_NONE)
        depth++;
    return depth;
}

/* The start tag, and all of an element that has none inside. */
static int
print_start(const struct xml_doc *doc, const struct xml_doc *tree, size_t i,
            char quote, struct v2v_bytes *out, struct v2v_error *err)
{
    const struct xml_element *e = &tree->elements[i];

    if (v2v_bytes_printf(out, err, "<%s", e->name) < 0)
        return -1;
    for (size_t j = e->attrs; j < e->attrs + e->attrs_count; j++)
        if (xml_print_attr(doc, quote, tree->attrs[j].name, tree->attrs[j].text,
                           out, err) < 0)
            return -1;
    if (e->text == NULL)
        return v2v_bytes_add(out, ">", 1, err);
    if (*e->text == '\0')
        return v2v_bytes_add(out, "/>", 2, err);
    if (v2v_bytes_add(out, ">", 1, err) < 0 ||
        xml_escape(doc, e->text, out, err) < 0)
        return -1;
    return v2v_bytes_printf(out, err, "</%s>", e->name);
}

/* The end tags of those whose last element is @i. */
static int
print_ends(const struct xml_doc *tree, size_t i, const struct looks *looks,
           struct v2v_bytes *out, struct v2v_error *err)
{
    size_t p = tree->elements[i].parent;

    if (tree->elements[i].text == NULL)
        return 0;
    for (; p != XML_NONE && tree->elements[p].next == i + 1;
         p = tree->elements[p].parent)
        if (print_line(looks, depth_of(tree, p), out, err) < 0 ||
            v2v_bytes_printf(out, err, "</%s>", tree->elements[p].name) < 0)
            return -1;
    return 0;
}

static int
print_tree(const struct xml_doc *doc, const struct xml_doc *tree,
           const struct looks *looks, struct v2v_bytes *out,
           struct v2v_error *err)
{
    for (size_t i = 0; i < tree->count; i++)
        if (print_line(looks, depth_of(tree, i), out, err) < 0 ||
            print_start(doc, tree, i, looks->quote, out, err) < 0 ||
            print_ends(tree, i, looks, out, err) < 0)
            return -1;
    return 0;
}

int
xml_parse_inserted(const struct xml_edit *edit, struct xml_doc *ret,
                   struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (xml_parse(edit->value, strlen(edit->value), ret, &why) < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "XML to insert: %s", why.text);
    return 0;
}

static int
print_inserted(const struct xml_doc *doc, const struct xml_edit *edit,
               const struct looks *looks, struct v2v_bytes *out,
               struct v2v_error *err)
{
    struct xml_doc tree;
    int rc;

    if (xml_parse_inserted(edit, &tree, err) < 0)
        return -1;
    rc = print_tree(doc, &tree, looks, out, err);
    xml_done(&tree);
    return rc;
}

int
xml_insert_beside(const struct xml_doc *doc, const struct xml_edit *edit,
                  struct v2v_bytes *out, struct v2v_error *err)
{
    size_t sibling = edit->after != XML_NONE ? edit->after : edit->element + 1;
    const struct looks looks = { .quote = xml_quote_at(doc, edit->element),
                                 .line = line_of(doc, sibling),
                                 .unit = unit_at(doc, sibling) };

    return print_inserted(doc, edit, &looks, out, err);
}

static bool
goes_into(const struct xml_edit *edit, size_t parent)
{
    return edit->kind == XML_INSERT && edit->element == parent;
}

/* One tag stays on the line of its parent; more get lines of their own. */
static bool
is_more_than_a_tag(const struct xml_edits *edits, size_t parent)
{
    for (size_t i = 0; i < edits->count; i++)
        if (goes_into(&edits->items[i], parent) &&
            strrchr(edits->items[i].value, '<') != edits->items[i].value)
            return true;
    return false;
}

static bool
ends_on_own_line(const struct xml_doc *doc, size_t element)
{
    const struct xml_element *e = &doc->elements[element];
    size_t pos = e->end;

    if (e->empty)
        return false;
    while (xml_text(doc)[pos - 1] != '<') /* of the end tag */
        pos--;
    return line_before(doc, pos - 1).len > 0;
}

int
xml_insert_into_childless(const struct xml_doc *doc,
                          const struct xml_edits *edits, size_t parent,
                          struct v2v_bytes *out, struct v2v_error *err)
{
    bool closed = ends_on_own_line(doc, parent);
    struct looks looks = { .quote = xml_quote_at(doc, parent), .depth = 1 };

    if (closed || is_more_than_a_tag(edits, parent)) {
        looks.line = line_of(doc, parent);
        looks.unit = unit_at(doc, parent);
    }
    for (size_t i = 0; i < edits->count; i++)
        if (goes_into(&edits->items[i], parent) &&
            print_inserted(doc, &edits->items[i], &looks, out, err) < 0)
            return -1;
    looks.depth = 0;
    return closed ? 0 : print_line(&looks, 0, out, err);
}
