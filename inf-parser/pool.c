/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "inf-parser/private.h"

struct chunk {
    struct chunk *next;
    size_t used, size; /* bytes of data */
    uint64_t data[];   /* uint64_t for its alignment */
};

struct inf_pool {
    struct chunk *chunks; /* the first one has room */
    size_t left;          /* bytes that may still be allocated */
    size_t lines;         /* that were read */
};

static const size_t least_chunk = 4096;

struct inf_pool *
inf_pool_new(struct v2v_error *err)
{
    struct inf_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL) {
        v2v_error_set_errno(err, errno, "INF");
        return NULL;
    }
    pool->left = INF_RESULT_MAX;
    return pool;
}

void
inf_pool_free(struct inf_pool *pool)
{
    struct chunk *next;

    if (pool == NULL)
        return;
    for (struct chunk *c = pool->chunks; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    free(pool);
}

static struct chunk *
add_chunk(struct inf_pool *pool, size_t len, struct v2v_error *err)
{
    size_t size = len > least_chunk ? len : least_chunk;
    struct chunk *c;

    if (size > pool->left) {
        v2v_error_set(err, V2V_ERR_FORMAT,
                      "says more than %d MiB of text and lists",
                      INF_RESULT_MAX >> 20);
        return NULL;
    }
    c = calloc(1, sizeof *c + size);
    if (c == NULL) {
        v2v_error_set_errno(err, errno, "INF");
        return NULL;
    }
    c->size = size;
    c->next = pool->chunks;
    pool->chunks = c;
    pool->left -= size;
    return c;
}

void *
inf_pool_alloc(struct inf_pool *pool, size_t len, struct v2v_error *err)
{
    struct chunk *c = pool->chunks;
    void *p;

    if (len > INF_RESULT_MAX)
        len = INF_RESULT_MAX; /* add_chunk() refuses */
    len = (len + 7) & ~(size_t)7;
    if (c == NULL || len > c->size - c->used)
        c = add_chunk(pool, len, err);
    if (c == NULL)
        return NULL;
    p = (char *)c->data + c->used;
    c->used += len;
    return p;
}

void *
inf_pool_grow(struct inf_pool *pool, void *items, size_t count, size_t size,
              struct v2v_error *err)
{
    void *more;

    if (count > 0 && (count & (count - 1)) != 0)
        return items; /* only a power of two is full */
    more = inf_pool_alloc(pool, (count > 0 ? 2 * count : 1) * size, err);
    if (more != NULL && count > 0)
        memcpy(more, items, count * size);
    return more;
}

char *
inf_pool_text(struct inf_pool *pool, const char *s, struct v2v_error *err)
{
    size_t len = strlen(s) + 1;
    char *copy = inf_pool_alloc(pool, len, err);

    if (copy != NULL)
        memcpy(copy, s, len);
    return copy;
}

int
inf_pool_add(struct inf_pool *pool, struct v2v_strings *list, const char *s,
             struct v2v_error *err)
{
    char **items =
        inf_pool_grow(pool, list->items, list->count, sizeof *items, err);

    if (items == NULL)
        return -1;
    list->items = items;
    items[list->count] = inf_pool_text(pool, s, err);
    if (items[list->count] == NULL)
        return -1;
    list->count++;
    return 0;
}

const char *
inf_pool_expand(struct inf_pool *pool, const struct inf_file *inf,
                const char *raw, struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = NULL;

    if (strchr(raw, '%') == NULL && strlen(raw) <= INF_FIELD_MAX)
        return raw;
    text = inf_expand(inf, raw, NULL, err);
    return text != NULL ? inf_pool_text(pool, text, err) : NULL;
}

int
inf_pool_step(struct inf_pool *pool, struct v2v_error *err)
{
    if (pool->lines++ < INF_LINES_MAX)
        return 0;
    return v2v_fail(err, V2V_ERR_FORMAT, "leads to more than %d lines",
                    INF_LINES_MAX);
}

int
inf_pool_warn(struct inf_pool *pool, struct v2v_strings *list,
              struct v2v_error *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    if (list->count >= INF_WARNINGS_MAX)
        return 0;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return inf_pool_add(pool, list, text, err);
}
