/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of edits: walks a document and its result side by side. */
#include "domain/edit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct check {
    const struct xml_doc *doc, *result;
    const struct xml_edit **sorted; /* by the place where each one shows */
    size_t count, next_edit;
    size_t *place; /* of an element of @doc in @result */
    size_t pos;    /* in @result */
};

/* Where in the order of elements an edit shows. */
static size_t
shows_at(const struct xml_doc *doc, const struct xml_edit *edit)
{
    if (edit->kind != XML_INSERT)
        return edit->element;
    return edit->after != XML_NONE ? doc->elements[edit->after].next
                                   : edit->element + 1;
}

/* Of those that show at the same place: what is inserted comes in front of what
 * is there, and behind a last child before behind its parent. */
static size_t
rank(const struct xml_edit *edit)
{
    size_t inner =
        edit->after != XML_NONE ? 2 * edit->after : 2 * edit->element + 1;

    return edit->kind != XML_INSERT ? SIZE_MAX : SIZE_MAX - 1 - inner;
}

struct sort_key {
    size_t at, rank, seq;
    const struct xml_edit *edit;
};

static int
by_place(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int
sort_edits(struct check *c, const struct xml_edits *edits,
           struct v2v_error *err)
{
    V2V_AUTO(mem) struct sort_key *keys =
        calloc(edits->count + 1, sizeof *keys);

    c->sorted = calloc(edits->count + 1, sizeof(void *));
    c->place = calloc(c->doc->count, sizeof *c->place);
    if (keys == NULL || c->sorted == NULL || c->place == NULL)
        return v2v_fail_errno(err, ENOMEM, "XML edits");
    for (size_t i = 0; i < edits->count; i++) {
        const struct xml_edit *e = &edits->items[i];

        keys[i] = (struct sort_key){ shows_at(c->doc, e), rank(e), i, e };
    }
    qsort(keys, edits->count, sizeof *keys, by_place);
    for (size_t i = 0; i < edits->count; i++)
        c->sorted[i] = keys[i].edit;
    c->count = edits->count;
    return 0;
}

static bool
same_bytes(const struct xml_doc *a, size_t a_pos, size_t a_len,
           const struct xml_doc *b, size_t b_pos, size_t b_len)
{
    return a_len == b_len &&
           memcmp(xml_text(a) + a_pos, xml_text(b) + b_pos, a_len) == 0;
}

static bool
same_names_and_values(const struct xml_doc *a, size_t i,
                      const struct xml_doc *b, size_t k)
{
    const struct xml_element *e = &a->elements[i], *r = &b->elements[k];

    if (r->ns != XML_NS_NONE || strcmp(e->name, r->name) != 0 ||
        e->attrs_count != r->attrs_count ||
        (e->text == NULL) != (r->text == NULL) ||
        (e->text != NULL && strcmp(e->text, r->text) != 0))
        return false;
    for (size_t j = 0; j < e->attrs_count; j++) {
        const struct xml_attr *x = &a->attrs[e->attrs + j];
        const struct xml_attr *y = &b->attrs[r->attrs + j];

        if (y->declares || y->qualified || strcmp(x->name, y->name) != 0 ||
            strcmp(x->text, y->text) != 0)
            return false;
    }
    return true;
}

/* Is @tree what the result has from here on, as a child of @parent? */
static bool
is_tree(const struct check *c, const struct xml_doc *tree, size_t parent)
{
    const struct xml_doc *r = c->result;

    if (tree->count > r->count - c->pos)
        return false;
    for (size_t i = 0; i < tree->count; i++) {
        size_t p = i == 0 ? parent : c->pos + tree->elements[i].parent;

        if (r->elements[c->pos + i].parent != p ||
            !same_names_and_values(tree, i, r, c->pos + i))
            return false;
    }
    return true;
}

/* Moves behind it. */
static bool
is_inserted(struct check *c, const struct xml_edit *edit)
{
    struct xml_doc tree;
    struct v2v_error ignored;
    bool is;

    if (xml_parse_inserted(edit, &tree, &ignored) < 0)
        return false;
    is = is_tree(c, &tree, c->place[edit->element]);
    c->pos += is ? tree.count : 0;
    xml_done(&tree);
    return is;
}

/* NULL: the attribute stays as it is. */
static const struct xml_edit *
edit_of_attr(const struct xml_edit **edits, size_t n, size_t attr)
{
    for (size_t i = 0; i < n; i++)
        if (edits[i]->kind != XML_ADD_ATTR && edits[i]->attr == attr)
            return edits[i];
    return NULL;
}

static bool
same_attr(const struct check *c, size_t j, size_t k,
          const struct xml_edit *edit)
{
    const struct xml_attr *a = &c->doc->attrs[j], *b = &c->result->attrs[k];

    if (!same_bytes(c->doc, a->start, a->name_len, c->result, b->start,
                    b->name_len))
        return false;
    if (edit != NULL)
        return strcmp(b->text, edit->value) == 0;
    return same_bytes(c->doc, a->value, a->value_len, c->result, b->value,
                      b->value_len);
}

/* @edits: the @n edits of this element */
static bool
same_attrs(const struct check *c, size_t i, const struct xml_edit **edits,
           size_t n)
{
    const struct xml_element *e = &c->doc->elements[i];
    const struct xml_element *r = &c->result->elements[c->pos];
    size_t k = r->attrs, end = r->attrs + r->attrs_count;

    for (size_t j = e->attrs; j < e->attrs + e->attrs_count; j++) {
        const struct xml_edit *edit = edit_of_attr(edits, n, j);

        if (edit != NULL && edit->kind == XML_DROP_ATTR)
            continue;
        if (k == end || !same_attr(c, j, k++, edit))
            return false;
    }
    for (size_t m = 0; m < n; m++) {
        const struct xml_attr *b = &c->result->attrs[k];

        if (edits[m]->kind != XML_ADD_ATTR)
            continue;
        if (k++ == end || b->declares ||
            strcmp(b->name, edits[m]->attr_name) != 0 ||
            strcmp(b->text, edits[m]->value) != 0)
            return false;
    }
    return k == end;
}

static bool
same_element(struct check *c, size_t i, const struct xml_edit **edits, size_t n)
{
    const struct xml_element *e = &c->doc->elements[i], *r;

    if (c->pos >= c->result->count)
        return false;
    r = &c->result->elements[c->pos];
    c->place[i] = c->pos;
    return e->ns == r->ns &&
           same_bytes(c->doc, e->start + 1, e->name_len, c->result,
                      r->start + 1, r->name_len) &&
           r->parent == (i == 0 ? XML_NONE : c->place[e->parent]) &&
           (e->text == NULL || r->text == NULL ||
            strcmp(e->text, r->text) == 0) &&
           same_attrs(c, i, edits, n);
}

/* One element of the original, with what was inserted in front of it; moves
 * @i to the next. */
static bool
check_step(struct check *c, size_t *i)
{
    const struct xml_edit **edits = c->sorted + c->next_edit;
    size_t n = 0;

    while (c->next_edit < c->count && edits[0]->kind == XML_INSERT &&
           shows_at(c->doc, edits[0]) == *i) {
        if (!is_inserted(c, edits[0]))
            return false;
        c->next_edit++;
        edits++;
    }
    if (*i == c->doc->count)
        return true;
    while (c->next_edit < c->count && edits[n]->kind != XML_INSERT &&
           edits[n]->element == *i) {
        c->next_edit++;
        n++;
    }
    if (n == 1 && edits[0]->kind == XML_DROP) {
        *i = c->doc->elements[*i].next;
        return true;
    }
    if (!same_element(c, *i, edits, n))
        return false;
    c->pos++;
    (*i)++;
    return true;
}

static bool
is_result(struct check *c)
{
    size_t i = 0;

    while (i < c->doc->count)
        if (!check_step(c, &i))
            return false;
    return check_step(c, &i) && c->pos == c->result->count &&
           c->next_edit == c->count;
}

int
xml_check(const struct xml_doc *doc, const struct xml_edits *edits,
          const struct xml_doc *result, struct v2v_error *err)
{
    struct check c = { .doc = doc, .result = result };
    int rc = sort_edits(&c, edits, err);

    if (rc == 0 && !is_result(&c))
        rc = v2v_fail(err, V2V_ERR_INTERNAL,
                      "the rewritten XML differs from what was meant near "
                      "byte %zu",
                      c.pos < result->count ? result->elements[c.pos].start
                                            : result->text.len);
    free(c.sorted);
    free(c.place);
    return rc;
}
