/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verify/internal.h"

const char *
verify_state_name(enum verify_state state)
{
    static const char *const names[] = {
        [VERIFY_HOLDS] = "holds",
        [VERIFY_WARNS] = "warns",
        [VERIFY_BROKEN] = "broken",
        [VERIFY_UNKNOWN] = "unknown",
    };

    return names[state];
}

void
verify_result_done(struct verify_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        free(result->links[i].subject);
        free(result->links[i].text);
    }
    free(result->links);
    *result = (struct verify_result){ 0 };
}

const struct verify_link *
verify_broken(const struct verify_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        if (result->links[i].state == VERIFY_BROKEN)
            return &result->links[i];
    return NULL;
}

const struct verify_code *
verify_find_code(const char *name)
{
    size_t count;
    const struct verify_code *codes = verify_codes(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(codes[i].name, name) == 0)
            return &codes[i];
    return NULL;
}

/* @link with its subject and text, which come from a guest. */
__attribute__((format(printf, 4, 0))) static int
add(struct verify *v, struct verify_link link, const char *subject,
    const char *fmt, va_list args, struct v2v_error *err)
{
    struct verify_result *result = v->result;
    struct verify_link *links =
        reallocarray(result->links, result->count + 1, sizeof *links);

    if (links == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    result->links = links;
    link.subject = v2v_strdup(subject, err);
    if (link.subject == NULL)
        return -1;
    if (vasprintf(&link.text, fmt, args) < 0) {
        free(link.subject);
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    }
    v2v_make_printable(link.subject);
    v2v_make_printable(link.text);
    links[result->count++] = link;
    return 0;
}

int
verify_holds(struct verify *v, const char *link, const char *subject,
             struct v2v_error *err, const char *fmt, ...)
{
    va_list args;
    int result;

    va_start(args, fmt);
    result = add(v, (struct verify_link){ .link = link, .state = VERIFY_HOLDS },
                 subject, fmt, args, err);
    va_end(args);
    return result;
}

int
verify_found(struct verify *v, const char *code, const char *subject,
             struct v2v_error *err, const char *fmt, ...)
{
    const struct verify_code *found = verify_find_code(code);
    enum verify_state state;
    va_list args;
    int result;

    assert(found != NULL && "a code that is not in codes.c");
    state = v->lenient ? VERIFY_WARNS : found->state;
    va_start(args, fmt);
    result = add(v,
                 (struct verify_link){
                     .link = found->link, .code = found, .state = state },
                 subject, fmt, args, err);
    va_end(args);
    return result;
}

int
verify_unknown(struct verify *v, const char *link, const char *subject,
               struct v2v_error *err, const char *fmt, ...)
{
    va_list args;
    int result;

    va_start(args, fmt);
    result =
        add(v, (struct verify_link){ .link = link, .state = VERIFY_UNKNOWN },
            subject, fmt, args, err);
    va_end(args);
    return result;
}

bool
verify_is_judged(const struct verify *v, const char *subject)
{
    for (size_t i = 0; i < v->result->count; i++)
        if (v2v_equal_nocase(v->result->links[i].subject, subject))
            return true;
    return false;
}

const struct verify_link *
verify_fault(const struct verify *v, const char *link, const char *subject)
{
    for (size_t i = 0; i < v->result->count; i++) {
        const struct verify_link *at = &v->result->links[i];

        if (at->code != NULL && strcmp(at->link, link) == 0 &&
            v2v_equal_nocase(at->subject, subject))
            return at;
    }
    return NULL;
}
