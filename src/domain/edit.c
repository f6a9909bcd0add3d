/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct splice {
    size_t offset, len;    /* replaced */
    size_t seq;            /* of the edit */
    struct v2v_bytes text; /* by this */
};

struct splices {
    struct splice *items;
    size_t count;
};

static void
auto_splices(struct splices *list)
{
    for (size_t i = 0; i < list->count; i++)
        v2v_bytes_done(&list->items[i].text);
    free(list->items);
}

int
xml_edits_add(struct xml_edits *edits, const struct xml_edit *edit,
              struct v2v_error *err)
{
    struct xml_edit *items =
        reallocarray(edits->items, edits->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "XML edits");
    edits->items = items;
    items[edits->count] = *edit;
    if (edit->value != NULL) {
        items[edits->count].value = v2v_strdup(edit->value, err);
        if (items[edits->count].value == NULL)
            return -1;
    }
    edits->count++;
    return 0;
}

void
xml_edits_done(struct xml_edits *edits)
{
    for (size_t i = 0; i < edits->count; i++)
        free((char *)edits->items[i].value);
    free(edits->items);
    *edits = (struct xml_edits){ 0 };
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The first byte of the run of white space that ends at @pos. */
static size_t
space_before(const struct xml_doc *doc, size_t pos)
{
    while (pos > 0 && strchr(" \t\r\n", xml_text(doc)[pos - 1]) != NULL)
        pos--;
    return pos;
}

static struct splice
drop_element(const struct xml_doc *doc, const struct xml_element *e)
{
    const char *s = xml_text(doc);
    size_t start = e->start, end = e->end;

    while (start > 0 && is_blank(s[start - 1]))
        start--;
    while (end < doc->text.len && is_blank(s[end]))
        end++;
    if (end + 1 < doc->text.len && s[end] == '\r' && s[end + 1] == '\n')
        end++;
    if (start > 0 && s[start - 1] == '\n' && end < doc->text.len &&
        s[end] == '\n')
        return (struct splice){ .offset = start, .len = end + 1 - start };
    return (struct splice){ .offset = e->start, .len = e->end - e->start };
}

static struct splice
drop_attr(const struct xml_doc *doc, const struct xml_attr *a)
{
    size_t start = space_before(doc, a->start);

    return (struct splice){ .offset = start,
                            .len = a->value + a->value_len + 1 - start };
}

static int
add_attr(const struct xml_doc *doc, const struct xml_edit *edit,
         struct splice *ret, struct v2v_error *err)
{
    const struct xml_element *e = &doc->elements[edit->element];

    ret->offset = e->start + 1 + e->name_len;
    if (e->attrs_count > 0) {
        const struct xml_attr *last =
            &doc->attrs[e->attrs + e->attrs_count - 1];

        ret->offset = last->value + last->value_len + 1;
    }
    return xml_print_attr(doc, xml_quote_at(doc, edit->element),
                          edit->attr_name, edit->value, &ret->text, err);
}

static bool
is_first_into(const struct xml_edits *edits, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (edits->items[j].kind == XML_INSERT &&
            edits->items[j].element == edits->items[i].element)
            return false;
    return true;
}

/* <x/> becomes <x>...</x>, once for all that goes into it. */
static int
insert_into_childless(const struct xml_doc *doc, const struct xml_edits *edits,
                      size_t i, struct splice *ret, struct v2v_error *err)
{
    size_t parent = edits->items[i].element;
    const struct xml_element *e = &doc->elements[parent];

    ret->offset = e->tag_end;
    if (!is_first_into(edits, i))
        return 0;
    if (!e->empty)
        return xml_insert_into_childless(doc, edits, parent, &ret->text, err);
    ret->offset = space_before(doc, e->tag_end - 2);
    ret->len = e->tag_end - ret->offset;
    if (v2v_bytes_add(&ret->text, ">", 1, err) < 0 ||
        xml_insert_into_childless(doc, edits, parent, &ret->text, err) < 0)
        return -1;
    return v2v_bytes_printf(&ret->text, err, "</%.*s>", (int)e->name_len,
                            xml_text(doc) + e->start + 1);
}

static int
insert(const struct xml_doc *doc, const struct xml_edits *edits, size_t i,
       struct splice *ret, struct v2v_error *err)
{
    const struct xml_edit *edit = &edits->items[i];
    const struct xml_element *parent = &doc->elements[edit->element];

    if (parent->next == edit->element + 1)
        return insert_into_childless(doc, edits, i, ret, err);
    ret->offset = edit->after != XML_NONE ? doc->elements[edit->after].end
                                          : parent->tag_end;
    return xml_insert_beside(doc, edit, &ret->text, err);
}

static int
splice_for(const struct xml_doc *doc, const struct xml_edits *edits, size_t i,
           struct splice *ret, struct v2v_error *err)
{
    const struct xml_edit *edit = &edits->items[i];
    const struct xml_attr *a = &doc->attrs[edit->attr];

    switch (edit->kind) {
    case XML_SET_ATTR:
        *ret = (struct splice){ .offset = a->value, .len = a->value_len };
        return xml_escape(doc, edit->value, &ret->text, err);
    case XML_ADD_ATTR:
        return add_attr(doc, edit, ret, err);
    case XML_DROP_ATTR:
        *ret = drop_attr(doc, a);
        return 0;
    case XML_DROP:
        *ret = drop_element(doc, &doc->elements[edit->element]);
        return 0;
    case XML_INSERT:
        return insert(doc, edits, i, ret, err);
    }
    return 0;
}

static int
by_offset(const void *a, const void *b)
{
    const struct splice *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if ((x->len == 0) != (y->len == 0)) /* what is put in comes first */
        return x->len == 0 ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int
splice_all(const struct v2v_bytes *text, const struct splices *list,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };
    size_t pos = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct splice *s = &list->items[i];

        if (s->offset < pos)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "XML edits overlap at byte %zu", s->offset);
        if (v2v_bytes_add(&out, text->data + pos, s->offset - pos, err) < 0 ||
            v2v_bytes_add(&out, s->text.data, s->text.len, err) < 0)
            return -1;
        pos = s->offset + s->len;
    }
    if (v2v_bytes_add(&out, text->data + pos, text->len - pos, err) < 0)
        return -1;
    *ret = out;
    out = (struct v2v_bytes){ 0 };
    return 0;
}

int
xml_apply(const struct xml_doc *doc, const struct xml_edits *edits,
          struct v2v_bytes *ret, struct v2v_error *err)
{
    __attribute__((cleanup(auto_splices))) struct splices list = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    list.items = calloc(edits->count + 1, sizeof *list.items);
    if (list.items == NULL)
        return v2v_fail_errno(err, errno, "XML edits");
    while (list.count < edits->count) {
        size_t i = list.count++;

        if (splice_for(doc, edits, i, &list.items[i], err) < 0)
            return -1;
        list.items[i].seq = i;
    }
    qsort(list.items, list.count, sizeof *list.items, by_offset);
    if (splice_all(&doc->text, &list, &text, err) < 0)
        return -1;
    return xml_encode(&text, doc->encoding, ret, err);
}
