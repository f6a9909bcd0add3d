/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "inf-parser/private.h"

/* NT[arch][.[major][.[minor][.[producttype][.[suitemask][.[build]]]]]]
 * Source: Microsoft, "INF Manufacturer Section", TargetOSVersion. */
enum { MAJOR, MINOR, PRODUCT_TYPE, SUITE_MASK, BUILD, NUMBERS };

struct decoration {
    bool has_arch;
    enum inf_arch arch;
    bool has[NUMBERS];
    uint32_t number[NUMBERS];
    size_t numbers; /* how many places were written, empty or not */
};

/* Windows 10 1607: before, a sixth part was malformed. */
static const unsigned first_build_with_build_numbers = 14310;

static bool
parse_arch(const char *name, size_t len, struct decoration *d)
{
    static const enum inf_arch all[] = { INF_ARCH_X86, INF_ARCH_AMD64,
                                         INF_ARCH_ARM64, INF_ARCH_IA64,
                                         INF_ARCH_ARM };

    if (len == 0)
        return true; /* any, says the syntax */
    for (size_t i = 0; i < INF_COUNT(all); i++) {
        if (inf_compare(name, len, inf_arch_name(all[i])) == 0) {
            d->has_arch = true;
            d->arch = all[i];
            return true;
        }
    }
    return false;
}

static bool
parse_number(const char *text, size_t len, struct decoration *d)
{
    char copy[16];

    if (d->numbers == NUMBERS)
        return false;
    d->numbers++;
    if (len == 0)
        return true;
    if (len >= sizeof copy || *text == '-' || *text == '+')
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    d->has[d->numbers - 1] = true;
    return inf_integer(copy, &d->number[d->numbers - 1], NULL) == 0;
}

/* false: malformed, or an architecture that nobody knows. */
static bool
parse_decoration(const char *text, struct decoration *d)
{
    size_t len;

    *d = (struct decoration){ 0 };
    if (!v2v_has_prefix_nocase(text, "NT"))
        return false;
    text += 2;
    len = strcspn(text, ".");
    if (!parse_arch(text, len, d))
        return false;
    for (text += len; *text == '.'; text += len) {
        text++;
        len = strcspn(text, ".");
        if (!parse_number(text, len, d))
            return false;
    }
    return d->has[MAJOR] || (!d->has[MINOR] && !d->has[BUILD]);
}

/* Without an architecture it means x86, since Windows Server 2003 SP1:
 * "Creating INF Files for Multiple Platforms and Operating Systems". */
static bool
fits_arch(const struct decoration *d, enum inf_arch arch)
{
    return d->has_arch ? d->arch == arch : arch == INF_ARCH_X86;
}

static bool
fits_version(const struct decoration *d, const struct inf_target *t)
{
    if (d->numbers > BUILD && t->build < first_build_with_build_numbers)
        return false;
    if (!d->has[MAJOR])
        return true;
    if (d->number[MAJOR] != t->major)
        return d->number[MAJOR] < t->major;
    if (d->number[MINOR] != t->minor)
        return d->number[MINOR] < t->minor;
    return !d->has[BUILD] || d->number[BUILD] <= t->build;
}

static bool
fits(const struct decoration *d, const struct inf_target *t)
{
    return fits_arch(d, t->arch) && fits_version(d, t) &&
           (!d->has[PRODUCT_TYPE] ||
            d->number[PRODUCT_TYPE] == t->product_type) &&
           (d->number[SUITE_MASK] & ~t->suite_mask) == 0;
}

static int
order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Whether @a says more than @b.  Version before architecture is the order of
 * "Combining Platform Extensions with Operating System Versions". */
static bool
is_better(const struct decoration *a, const struct decoration *b)
{
    int by[] = {
        order(a->has[MAJOR], b->has[MAJOR]),
        order(a->number[MAJOR], b->number[MAJOR]),
        order(a->number[MINOR], b->number[MINOR]),
        order(a->number[BUILD], b->number[BUILD]),
        order(a->has_arch, b->has_arch),
        order(a->has[PRODUCT_TYPE], b->has[PRODUCT_TYPE]),
        order((uint64_t)__builtin_popcount(a->number[SUITE_MASK]),
              (uint64_t)__builtin_popcount(b->number[SUITE_MASK])),
    };

    for (size_t i = 0; i < INF_COUNT(by); i++)
        if (by[i] != 0)
            return by[i] > 0;
    return false;
}

/* The result being made, and one line of [Manufacturer]. */
struct selection {
    struct inf_pool *pool;
    const struct inf_file *inf;
    const struct inf_target *target;
    struct inf_models *models;
    const char *manufacturer_raw, *manufacturer;
};

/* @base or @base.@decoration; a new string. */
static char *
section_name(const char *base, const char *decoration, struct v2v_error *err)
{
    return decoration == NULL ? v2v_strdup(base, err)
                              : v2v_format(err, "%s.%s", base, decoration);
}

/* @ret: the decoration that wins, NULL for the bare name.  False: none. */
static int
choose_decoration(const struct selection *s, const struct inf_line *line,
                  const char **ret, bool *found, struct v2v_error *err)
{
    struct decoration best = { 0 };
    bool any = false;

    *ret = NULL;
    for (size_t i = 1; i < line->count; i++) {
        struct decoration d;
        const char *text =
            inf_pool_expand(s->pool, s->inf, inf_field_raw(line, i), err);

        if (text == NULL)
            return -1;
        any = any || *text != '\0';
        if (!parse_decoration(text, &d) || !fits(&d, s->target) ||
            (*ret != NULL && !is_better(&d, &best)))
            continue;
        best = d;
        *ret = text;
    }
    *found = *ret != NULL || !any || s->target->arch == INF_ARCH_X86;
    if (any || s->target->arch == INF_ARCH_X86)
        return 0;
    return inf_pool_warn(s->pool, &s->models->warnings, err,
                         "[Manufacturer] %s: no NT%s decoration; current "
                         "Windows ignores this line",
                         s->manufacturer, inf_arch_name(s->target->arch));
}

static int
add_model_ids(const struct selection *s, const struct inf_line *line,
              struct inf_model *m, struct v2v_error *err)
{
    for (size_t i = 1; i < line->count; i++) {
        const char *id =
            inf_pool_expand(s->pool, s->inf, inf_field_raw(line, i), err);

        if (id == NULL)
            return -1;
        if (i == 1)
            m->hardware_id = id;
        else if (*id != '\0' &&
                 inf_pool_add(s->pool, &m->compatible_ids, id, err) < 0)
            return -1;
    }
    return 0;
}

static int
add_model(const struct selection *s, const struct inf_line *line,
          struct v2v_error *err)
{
    struct inf_models *models = s->models;
    struct inf_model *items = inf_pool_grow(s->pool, models->items,
                                            models->count, sizeof *items, err);
    struct inf_model *m;

    if (items == NULL)
        return -1;
    models->items = items;
    m = &items[models->count];
    *m = (struct inf_model){ .description_raw = line->key,
                             .manufacturer_raw = s->manufacturer_raw,
                             .manufacturer = s->manufacturer,
                             .hardware_id = "",
                             .section = models->sections.count - 1 };
    m->description = inf_pool_expand(s->pool, s->inf, line->key, err);
    m->install = inf_pool_expand(s->pool, s->inf, inf_field_raw(line, 0), err);
    if (m->description == NULL || m->install == NULL ||
        add_model_ids(s, line, m, err) < 0)
        return -1;
    models->count++;
    return 0;
}

static int
add_models_section(const struct selection *s, const char *name,
                   struct v2v_error *err)
{
    const struct inf_section *section = inf_section_find(s->inf, name);

    if (inf_pool_add(s->pool, &s->models->sections, name, err) < 0)
        return -1;
    for (size_t i = 0; section != NULL && i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(s->inf, section, i);

        if (inf_pool_step(s->pool, err) < 0)
            return -1;
        if (line.key == NULL || *inf_field_raw(&line, 0) == '\0') {
            if (inf_pool_warn(s->pool, &s->models->warnings, err,
                              "[%s] line %zu names no install section", name,
                              i + 1) < 0)
                return -1;
        } else if (add_model(s, &line, err) < 0) {
            return v2v_fail_in(err, "[%s] line %zu", name, i + 1);
        }
    }
    return 0;
}

static int
add_manufacturer(struct selection *s, const struct inf_line *line,
                 struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = NULL;
    const char *base, *decoration;
    bool found;

    s->manufacturer_raw = line->key;
    s->manufacturer = inf_pool_expand(s->pool, s->inf, line->key, err);
    base = inf_pool_expand(s->pool, s->inf, inf_field_raw(line, 0), err);
    if (s->manufacturer == NULL || base == NULL ||
        choose_decoration(s, line, &decoration, &found, err) < 0)
        return -1;
    if (!found)
        return 0;
    name = section_name(base, decoration, err);
    return name != NULL ? add_models_section(s, name, err) : -1;
}

int
inf_models_select(const struct inf_file *inf, const struct inf_target *target,
                  struct inf_models *ret, struct v2v_error *err)
{
    V2V_AUTO(inf_pool) struct inf_pool *pool = inf_pool_new(err);
    struct inf_models models = { 0 };
    struct selection s = {
        .pool = pool, .inf = inf, .target = target, .models = &models
    };
    const struct inf_section *section = inf_section_find(inf, "Manufacturer");

    if (pool == NULL)
        return -1;
    for (size_t i = 0; section != NULL && i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(inf, section, i);

        if (line.key != NULL && add_manufacturer(&s, &line, err) < 0)
            return v2v_fail_in(err, "[Manufacturer]");
    }
    models.pool = v2v_steal(pool);
    *ret = models;
    return 0;
}

void
inf_models_done(struct inf_models *models)
{
    inf_pool_free(models->pool);
    *models = (struct inf_models){ 0 };
}

/* One line of [Manufacturer] for inf_models_of_arch(): every decoration of
 * the architecture, and for x86 the bare name. */
struct visit {
    struct inf_pool *pool;
    const struct inf_file *inf;
    enum inf_arch arch;
    int (*fn)(void *opaque, const struct inf_section *models,
              struct v2v_error *err);
    void *opaque;
};

static int
visit_section(const struct visit *v, const char *base, const char *decoration,
              struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = section_name(base, decoration, err);
    const struct inf_section *section;

    if (name == NULL)
        return -1;
    section = inf_section_find(v->inf, name);
    return section != NULL ? v->fn(v->opaque, section, err) : 0;
}

static int
visit_manufacturer(const struct visit *v, const struct inf_line *line,
                   struct v2v_error *err)
{
    const char *base =
        inf_pool_expand(v->pool, v->inf, inf_field_raw(line, 0), err);

    if (base == NULL ||
        (v->arch == INF_ARCH_X86 && visit_section(v, base, NULL, err) < 0))
        return -1;
    for (size_t i = 1; i < line->count; i++) {
        const char *text =
            inf_pool_expand(v->pool, v->inf, inf_field_raw(line, i), err);
        struct decoration d;

        if (text == NULL ||
            (parse_decoration(text, &d) && fits_arch(&d, v->arch) &&
             visit_section(v, base, text, err) < 0))
            return -1;
    }
    return 0;
}

int
inf_models_of_arch(struct inf_pool *pool, const struct inf_file *inf,
                   enum inf_arch arch,
                   int (*fn)(void *opaque, const struct inf_section *models,
                             struct v2v_error *err),
                   void *opaque, struct v2v_error *err)
{
    struct visit v = { pool, inf, arch, fn, opaque };
    const struct inf_section *section = inf_section_find(inf, "Manufacturer");

    for (size_t i = 0; section != NULL && i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(inf, section, i);

        if (line.key != NULL && visit_manufacturer(&v, &line, err) < 0)
            return v2v_fail_in(err, "[Manufacturer]");
    }
    return 0;
}
