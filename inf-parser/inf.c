/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "inf-parser/private.h"

void
inf_free(struct inf_file *inf)
{
    if (inf == NULL)
        return;
    inf_pool_free(inf->pool);
    free(inf->strings.items);
    free(inf->by_name.items);
    free(inf->sections);
    free(inf->order);
    free(inf->lines);
    free(inf->fields);
    free(inf->text);
    free(inf);
}

/* All section lines of the file, sorted by name and then by place. */
static int
sort_section_lines(const struct inf_file *inf, const struct inf_lexed *lexed,
                   struct inf_index *ret, struct v2v_error *err)
{
    struct inf_index_item *items = calloc(lexed->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "%zu sections", lexed->count);
    for (size_t i = 0; i < lexed->count; i++)
        items[i] =
            (struct inf_index_item){ inf->text + lexed->names[i], (uint32_t)i };
    *ret = (struct inf_index){ items, lexed->count };
    inf_index_sort(ret);
    return 0;
}

/* For each section line, the first one of the same name; @sorted keeps only
 * that one. */
static void
find_firsts(struct inf_index *sorted, uint32_t *first_of)
{
    size_t kept = 0;

    for (size_t i = 0; i < sorted->count; i++) {
        struct inf_index_item item = sorted->items[i];

        if (kept == 0 || inf_compare(item.name, strlen(item.name),
                                     sorted->items[kept - 1].name) != 0)
            sorted->items[kept++] = item;
        first_of[item.line] = sorted->items[kept - 1].line;
    }
    sorted->count = kept;
}

/* Numbers the sections in order of first appearance; @section_of becomes the
 * number of each section line's section. */
static void
number_sections(struct inf_file *inf, const struct inf_lexed *lexed,
                uint32_t *section_of)
{
    for (uint32_t i = 0; i < lexed->count; i++) {
        if (section_of[i] != i) {
            section_of[i] = section_of[section_of[i]];
            continue;
        }
        section_of[i] = (uint32_t)inf->section_count;
        inf->sections[inf->section_count++].name = lexed->names[i];
    }
}

/* Groups the lines by section, in file order within each. */
static void
order_lines(struct inf_file *inf, const struct inf_lexed *lexed,
            const uint32_t *section_of)
{
    size_t first = 0;

    for (size_t i = 0; i < inf->line_count; i++)
        inf->sections[section_of[lexed->line_section[i]]].count++;
    for (size_t i = 0; i < inf->section_count; i++) {
        inf->sections[i].first = first;
        first += inf->sections[i].count;
        inf->sections[i].count = 0;
    }
    for (size_t i = 0; i < inf->line_count; i++) {
        struct inf_section *s =
            &inf->sections[section_of[lexed->line_section[i]]];

        inf->order[s->first + s->count++] = (uint32_t)i;
    }
}

static int
merge_sections(struct inf_file *inf, const struct inf_lexed *lexed,
               struct v2v_error *err)
{
    V2V_AUTO(mem) uint32_t *section_of = NULL;

    if (sort_section_lines(inf, lexed, &inf->by_name, err) < 0)
        return -1;
    section_of = calloc(lexed->count + 1, sizeof *section_of);
    if (section_of == NULL)
        return v2v_fail_errno(err, errno, "%zu sections", lexed->count);
    find_firsts(&inf->by_name, section_of);
    inf->sections = calloc(inf->by_name.count + 1, sizeof *inf->sections);
    inf->order = malloc((inf->line_count + 1) * sizeof *inf->order);
    if (inf->sections == NULL || inf->order == NULL)
        return v2v_fail_errno(err, errno, "%zu lines", inf->line_count);
    number_sections(inf, lexed, section_of);
    order_lines(inf, lexed, section_of);
    for (size_t i = 0; i < inf->by_name.count; i++)
        inf->by_name.items[i].line = section_of[inf->by_name.items[i].line];
    return 0;
}

/* Windows looks at the raw value of the first Signature.  Only the first two
 * are documented; "$Windows 95$" is accepted as well. */
static int
check_signature(struct inf_file *inf, struct inf_failure *where,
                struct v2v_error *err)
{
    static const char *const known[] = { "$Windows NT$", "$Chicago$",
                                         "$Windows 95$" };
    const struct inf_section *version = inf_section_find(inf, "Version");

    *where = (struct inf_failure){ .code = INF_E_WRONG_INF_STYLE };
    if (version == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "not an INF: no [Version]");
    for (size_t i = 0; i < version->count; i++) {
        struct inf_line line = inf_line_at(inf, version, i);
        const char *value = inf_field_raw(&line, 0);

        if (line.key == NULL || !v2v_equal_nocase(line.key, "Signature"))
            continue;
        for (size_t k = 0; k < INF_COUNT(known); k++)
            if (v2v_equal_nocase(value, known[k])) {
                *where = (struct inf_failure){ 0 };
                return 0;
            }
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "not an INF: unknown Signature \"%.40s\"", value);
    }
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "not an INF: no Signature in [Version]");
}

/* Junk in front is harmless if somebody bothered to write [Strings]: so does
 * Windows decide. */
static int
check_junk(const struct inf_file *inf, uint32_t line, struct inf_failure *where,
           struct v2v_error *err)
{
    if (line == 0 || inf_section_find(inf, "Strings") != NULL)
        return 0;
    *where = (struct inf_failure){ INF_E_EXPECTED_SECTION_NAME, line };
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "line %u: text before the first section", (unsigned)line);
}

static int
decode_file(struct inf_file *inf, const void *data, size_t len,
            struct v2v_error *err)
{
    const char *warning = NULL;

    if (len > INF_FILE_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "INF of more than %d MiB",
                        INF_FILE_MAX >> 20);
    inf->pool = inf_pool_new(err);
    if (inf->pool == NULL || inf_decode(data, len, &inf->text, &warning, err))
        return -1;
    return warning == NULL
               ? 0
               : inf_pool_warn(inf->pool, &inf->warnings, err, "%s", warning);
}

static int
build(struct inf_file *inf, const void *data, size_t len,
      struct inf_lexed *lexed, struct inf_failure *where, struct v2v_error *err)
{
    if (decode_file(inf, data, len, err) < 0 ||
        inf_lex(inf, lexed, where, err) < 0 ||
        merge_sections(inf, lexed, err) < 0 ||
        check_junk(inf, lexed->junk_line, where, err) < 0 ||
        check_signature(inf, where, err) < 0)
        return -1;
    return inf_set_language(inf, 0x0409, err);
}

int
inf_parse_where(const void *data, size_t len, struct inf_file **ret,
                struct inf_failure *where, struct v2v_error *err)
{
    V2V_AUTO(inf) struct inf_file *inf = calloc(1, sizeof *inf);
    struct inf_failure failure = { 0 };
    struct inf_lexed lexed = { 0 };
    int result;

    if (inf == NULL)
        return v2v_fail_errno(err, errno, "INF");
    result = build(inf, data, len, &lexed, &failure, err);
    inf_lexed_done(&lexed);
    if (result < 0) {
        *where = failure;
        return -1;
    }
    *ret = v2v_steal(inf);
    return 0;
}

int
inf_parse(const void *data, size_t len, struct inf_file **ret,
          struct v2v_error *err)
{
    struct inf_failure where;

    return inf_parse_where(data, len, ret, &where, err);
}

const struct v2v_strings *
inf_warnings(const struct inf_file *inf)
{
    return &inf->warnings;
}

size_t
inf_section_count(const struct inf_file *inf)
{
    return inf->section_count;
}

const struct inf_section *
inf_section_at(const struct inf_file *inf, size_t i)
{
    return &inf->sections[i];
}

const struct inf_section *
inf_section_find(const struct inf_file *inf, const char *name)
{
    int64_t i = inf_index_find(&inf->by_name, name, strlen(name));

    return i < 0 ? NULL : &inf->sections[i];
}

const char *
inf_section_name(const struct inf_file *inf, const struct inf_section *section)
{
    return inf->text + section->name;
}

size_t
inf_section_number(const struct inf_file *inf,
                   const struct inf_section *section)
{
    return (size_t)(section - inf->sections);
}

size_t
inf_line_count(const struct inf_section *section)
{
    return section->count;
}

struct inf_line
inf_line_at(const struct inf_file *inf, const struct inf_section *section,
            size_t i)
{
    const struct inf_raw_line *raw =
        &inf->lines[inf->order[section->first + i]];
    uint32_t first = raw[0].first, end = raw[1].first;
    const char *token = inf->text + inf->fields[first];
    bool own = raw->kind == INF_KEY_OWN;

    return (struct inf_line){ .key = raw->kind != INF_KEY_NONE ? token : NULL,
                              .count = end - first - own,
                              .inf = inf,
                              .first = first + own };
}

const char *
inf_field_raw(const struct inf_line *line, size_t i)
{
    return i < line->count
               ? line->inf->text + line->inf->fields[line->first + i]
               : "";
}
