/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/served.h"

#include <stdio.h>
#include <string.h>

enum { max_steps = 65536 };

struct served {
    const struct inf_file *inf;
    struct v2v_strings *decorations, *ids;
    size_t steps; /* fields read: lines may name one section many times */
};

static int
add_once(struct served *s, const char *raw, struct v2v_strings *list,
         struct v2v_error *err)
{
    const struct inf_file *inf = s->inf;
    V2V_AUTO(mem) char *text = inf_expand(inf, raw, NULL, err);

    if (text == NULL)
        return -1;
    if (++s->steps > max_steps)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "[Manufacturer] names more than %d fields", max_steps);
    if (text[0] == '\0' || v2v_strings_has_nocase(list, text))
        return 0;
    if (list->count == SERVED_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "more than %d hardware ids or decorations", SERVED_MAX);
    return v2v_strings_add(list, text, err);
}

/* @decoration: "" for none */
static int
read_models(struct served *s, const char *models, const char *decoration,
            struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *name = v2v_format(err, "%s%s%s", models,
                            decoration[0] != '\0' ? "." : "", decoration);
    const struct inf_section *section;

    if (name == NULL)
        return -1;
    section = inf_section_find(s->inf, name);
    for (size_t i = 0; section != NULL && i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(s->inf, section, i);

        for (size_t k = 1; k < line.count; k++) {
            if (add_once(s, inf_field_raw(&line, k), s->ids, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int
read_manufacturer(struct served *s, const struct inf_line *line,
                  struct v2v_error *err)
{
    const struct inf_file *inf = s->inf;
    V2V_AUTO(mem)
    char *models = inf_expand(inf, inf_field_raw(line, 0), NULL, err);

    if (models == NULL || read_models(s, models, "", err) < 0)
        return -1;
    for (size_t i = 1; i < line->count; i++) {
        V2V_AUTO(mem)
        char *decoration = inf_expand(inf, inf_field_raw(line, i), NULL, err);

        if (decoration == NULL)
            return -1;
        if (decoration[0] == '\0')
            continue;
        if (add_once(s, inf_field_raw(line, i), s->decorations, err) < 0 ||
            read_models(s, models, decoration, err) < 0)
            return -1;
    }
    return 0;
}

int
served_read(const struct inf_file *inf, struct v2v_strings *decorations,
            struct v2v_strings *ids, struct v2v_error *err)
{
    const struct inf_section *section = inf_section_find(inf, "Manufacturer");
    struct served s = { inf, decorations, ids, 0 };

    for (size_t i = 0; section != NULL && i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(inf, section, i);

        if (read_manufacturer(&s, &line, err) < 0)
            return -1;
    }
    return 0;
}

bool
served_lowest(const struct v2v_strings *decorations, enum inf_arch arch,
              unsigned *major, unsigned *minor)
{
    char prefix[16];
    bool found = false;

    snprintf(prefix, sizeof prefix, "NT%s", inf_arch_name(arch));
    for (size_t i = 0; i < decorations->count; i++) {
        const char *text = decorations->items[i];
        unsigned a, b = 0;

        if (!v2v_has_prefix_nocase(text, prefix))
            continue;
        text += strlen(prefix);
        if (sscanf(text, ".%3u.%3u", &a, &b) < 1)
            return false;
        if (!found || a < *major || (a == *major && b < *minor)) {
            *major = a;
            *minor = b;
        }
        found = true;
    }
    return found;
}
