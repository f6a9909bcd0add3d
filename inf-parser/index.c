/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorted, not hashed: whoever writes the INF chooses the names, and could
 * choose them so that a hash without a secret puts them all in one place. */
#include <string.h>

#include "inf-parser/private.h"

static unsigned char
fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

int
inf_compare(const char *a, size_t len, const char *b)
{
    for (size_t i = 0; i < len; i++) {
        int difference = fold(a[i]) - fold(b[i]);

        if (difference != 0) /* and so at the end of @b */
            return difference;
    }
    return b[len] == '\0' ? 0 : -1;
}

static int
compare_items(const void *a, const void *b)
{
    const struct inf_index_item *x = a, *y = b;
    int difference = inf_compare(x->name, strlen(x->name), y->name);

    if (difference != 0)
        return difference;
    return x->line < y->line ? -1 : x->line > y->line;
}

void
inf_index_sort(struct inf_index *index)
{
    if (index->count > 1)
        qsort(index->items, index->count, sizeof *index->items, compare_items);
}

int64_t
inf_index_find(const struct inf_index *index, const char *name, size_t len)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (inf_compare(name, len, index->items[middle].name) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->count ||
        inf_compare(name, len, index->items[low].name) != 0)
        return -1;
    return index->items[low].line;
}
