/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AddService with its service-install and event-log-install sections.
 * Source: Microsoft, "INF AddService Directive". */
#include <string.h>

#include "inf-parser/private.h"

/* A directive that may stand once: the first one counts, as it does in
 * Windows' look-up by key. */
static int
set_text(struct inf_reader *r, const struct inf_line *line, const char **raw,
         const char **expanded, struct v2v_error *err)
{
    const char *text = inf_field_raw(line, 0);

    if (*raw != NULL)
        return 0;
    *raw = text;
    if (expanded == NULL)
        return 0;
    *expanded = inf_pool_expand(r->pool, r->inf, text, err);
    return *expanded != NULL ? 0 : -1;
}

static int
set_expanded(struct inf_reader *r, const struct inf_line *line,
             const char **ret, struct v2v_error *err)
{
    const char *raw = *ret;

    return set_text(r, line, &raw, ret, err);
}

static int
set_number(struct inf_reader *r, const struct inf_line *line, uint32_t bit,
           uint32_t *ret, struct v2v_error *err)
{
    const char *text =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 0), err);

    if (text == NULL)
        return -1;
    if ((r->numbers_seen & bit) != 0)
        return 0;
    if (*text == '\0')
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: no value", line->key);
    if (inf_integer(text, ret, err) < 0)
        return v2v_fail_in(err, "%s", line->key);
    r->numbers_seen |= bit;
    return 0;
}

enum { SEEN_TYPE = 1, SEEN_START = 2, SEEN_ERROR = 4 };

static int
read_type(struct inf_reader *r, const struct inf_line *line,
          struct v2v_error *err)
{
    return set_number(r, line, SEEN_TYPE, &r->service->type, err);
}

static int
read_start(struct inf_reader *r, const struct inf_line *line,
           struct v2v_error *err)
{
    return set_number(r, line, SEEN_START, &r->service->start, err);
}

static int
read_error_control(struct inf_reader *r, const struct inf_line *line,
                   struct v2v_error *err)
{
    return set_number(r, line, SEEN_ERROR, &r->service->error_control, err);
}

static int
read_binary(struct inf_reader *r, const struct inf_line *line,
            struct v2v_error *err)
{
    return set_text(r, line, &r->service->binary_raw, NULL, err);
}

static int
read_group(struct inf_reader *r, const struct inf_line *line,
           struct v2v_error *err)
{
    return set_expanded(r, line, &r->service->group, err);
}

static int
read_display_name(struct inf_reader *r, const struct inf_line *line,
                  struct v2v_error *err)
{
    return set_text(r, line, &r->service->display_name_raw,
                    &r->service->display_name, err);
}

static int
read_description(struct inf_reader *r, const struct inf_line *line,
                 struct v2v_error *err)
{
    return set_text(r, line, &r->service->description_raw,
                    &r->service->description, err);
}

static int
read_start_name(struct inf_reader *r, const struct inf_line *line,
                struct v2v_error *err)
{
    return set_expanded(r, line, &r->service->start_name, err);
}

static int
read_dependencies(struct inf_reader *r, const struct inf_line *line,
                  struct v2v_error *err)
{
    return inf_read_texts(r, line, &r->service->dependencies, err);
}

static const struct inf_directive service_directives[] = {
    { "ServiceType", read_type },
    { "StartType", read_start },
    { "ErrorControl", read_error_control },
    { "ServiceBinary", read_binary },
    { "LoadOrderGroup", read_group },
    { "DisplayName", read_display_name },
    { "Description", read_description },
    { "StartName", read_start_name },
    { "Dependencies", read_dependencies },
    { "AddReg", inf_read_addreg },
    { "DelReg", inf_read_delreg },
};

static const struct inf_directive event_directives[] = {
    { "AddReg", inf_read_addreg },
    { "DelReg", inf_read_delreg },
};

static int
check_numbers(const struct inf_reader *r, struct v2v_error *err)
{
    static const char *const names[] = { "ServiceType", "StartType",
                                         "ErrorControl" };

    for (size_t i = 0; i < INF_COUNT(names); i++)
        if ((r->numbers_seen & 1U << i) == 0)
            return v2v_fail(err, V2V_ERR_FORMAT, "no %s", names[i]);
    return 0;
}

/* A section that AddService names must be there, since a service without a
 * type or a start is none; but an Include'd INF of Windows may have it, as
 * mdmcpq.inf does for modems. */
static int
read_service_section(struct inf_reader *outer, const char *name,
                     struct inf_service *service, struct v2v_error *err)
{
    const struct inf_section *section = inf_section_find(outer->inf, name);
    struct inf_reader r = *outer;

    r.service = service;
    r.addregs = &service->addregs;
    r.delregs = &service->delregs;
    r.numbers_seen = 0;
    service->foreign = section == NULL && outer->install->includes.count > 0;
    if (service->foreign)
        return inf_reader_warn_absent(outer, name, err);
    if (section == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "no section [%s]", name);
    if (inf_reader_section(&r, section, service_directives,
                           INF_COUNT(service_directives), err) < 0 ||
        check_numbers(&r, err) < 0)
        return v2v_fail_in(err, "[%s]", name);
    return 0;
}

static int
read_event_section(struct inf_reader *outer, const char *name,
                   struct inf_service *service, struct v2v_error *err)
{
    const struct inf_section *section = inf_section_find(outer->inf, name);
    struct inf_reader r = *outer;

    r.addregs = &service->event_addregs;
    r.delregs = &service->event_delregs;
    if (section == NULL)
        return inf_reader_warn_absent(outer, name, err);
    return inf_reader_section(&r, section, event_directives,
                              INF_COUNT(event_directives), err);
}

enum { NAME, FLAGS, SECTION, EVENT_SECTION, EVENT_LOG, EVENT_NAME, FIELDS };

static int
expand_fields(struct inf_reader *r, const struct inf_line *line,
              const char *text[FIELDS], struct v2v_error *err)
{
    for (size_t i = 0; i < FIELDS; i++) {
        text[i] = inf_pool_expand(r->pool, r->inf, inf_field_raw(line, i), err);
        if (text[i] == NULL)
            return -1;
    }
    return 0;
}

static int
read_event(struct inf_reader *r, const char *const text[FIELDS],
           struct inf_service *s, struct v2v_error *err)
{
    if (*text[EVENT_SECTION] == '\0')
        return 0;
    s->event_log = *text[EVENT_LOG] != '\0' ? text[EVENT_LOG] : "System";
    s->event_name = *text[EVENT_NAME] != '\0' ? text[EVENT_NAME] : s->name;
    return read_event_section(r, text[EVENT_SECTION], s, err);
}

int
inf_read_addservice(struct inf_reader *r, const struct inf_line *line,
                    struct v2v_error *err)
{
    struct inf_services *list = &r->install->services;
    struct inf_service *items =
        inf_pool_grow(r->pool, list->items, list->count, sizeof *items, err);
    const char *text[FIELDS];
    struct inf_service *s;

    if (items == NULL || expand_fields(r, line, text, err) < 0)
        return -1;
    list->items = items;
    s = &items[list->count];
    *s = (struct inf_service){ .name = text[NAME] };
    if (inf_flags_read(r->pool, line, FLAGS, &s->flags, &r->install->warnings,
                       err) < 0)
        return -1;
    if (strpbrk(s->name, "\\/") != NULL)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "AddService: \"%.80s\" is not a service name", s->name);
    if ((*s->name != '\0' || *text[SECTION] != '\0') &&
        read_service_section(r, text[SECTION], s, err) < 0)
        return v2v_fail_in(err, "AddService %s", s->name);
    if (s->binary_raw == NULL)
        s->binary_raw = "";
    if (read_event(r, text, s, err) < 0)
        return v2v_fail_in(err, "AddService %s", s->name);
    list->count++;
    return 0;
}
